"""GET /console: the page on which an administrator keeps the API keys of reps; below it its script, style, icon."""

from keywright.dialects import supportcenter
from keywright.dialects.supportcenter import console
from keywright.edge import OpenEndpoint

endpoint = OpenEndpoint(supportcenter.SURFACE.name)
app = endpoint.app

app.get("/console")(console.file("console.html"))
app.get("/console/console.js")(console.file("console.js"))
app.get("/console/console.css")(console.file("console.css"))
app.get("/console/console.svg")(console.file("console.svg"))

handler = endpoint
