// The console for the API keys of support reps, over the operations under /api/json.
//
// The administrator's key lives in `session` and nowhere else: in no storage, no cookie and no URL, and not beyond
// signing out, reloading or leaving the page. It goes out in the header `authtoken`, to the host the page came from.
// What answers hold is shown as text, never as markup.

const ROWS = 25;
const NEVER = "-1";
const CREDENTIAL_REFUSED = new Set([5101, 5102, 5103]);
const PARAMETER_MISSING = 5104;
const MAIL_NOT_SENT = 5111;

const byId = (id) => document.getElementById(id);
const [entrance, keys, rows] = ["entrance", "keys", "rows"].map(byId);
const [generation, mailing, regeneration, outcome, deletion] =
  ["generation", "mailing", "regeneration", "outcome", "deletion"].map(byId);
const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

let session = null;

class Session {
  #left = new AbortController();
  start = 1;
  filter = {};
  units = new Set();
  lists = 0;

  constructor(key) {
    this.key = key;
  }

  get left() {
    return this.#left.signal;
  }

  leave() {
    this.#left.abort();
    this.key = "";
  }

  isOwn(row) {
    return row.apikey.toLowerCase() === this.key.toLowerCase();
  }
}

// What the service refused, in its own words; without a code, it did not answer.
class Refusal extends Error {
  constructor(message, code = 0) {
    super(message);
    this.code = code;
  }
}

// Whatever is still under way when a session ends has nobody to tell.
class Left extends Error {}

async function call(operation, parameters) {
  const asking = session;
  let response;
  try {
    const answer = await fetch(`api/json/${operation}`, {
      method: "POST",
      // Encoding changes no key; what it does change could not stand in a header, and is refused as no key.
      headers: { authtoken: encodeURIComponent(asking.key) },
      body: new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: asking.left,
    });
    ({ response } = await answer.json());
  } catch {
    // A gateway's page is no answer either.
  }
  if (asking.left.aborted) throw new Left();
  if (!response?.result) throw new Refusal("The service did not answer. Try again.");
  const { status, statuscode, statusmessage } = response.result;
  if (status !== "Success") throw new Refusal(statusmessage, statuscode);
  return { ...response, message: statusmessage };
}

// --- telling -------------------------------------------------------------------------------------------------------

function tell(place, { done = "", failed = "" } = {}) {
  const told = place.querySelector(".done");
  if (told) told.textContent = done;
  place.querySelector(".failed").textContent = failed;
}

// Does a deed that was asked for at `place`, a section or a dialog, and tells there what was refused.
async function attempt(place, deed) {
  tell(place);
  place.setAttribute("aria-busy", "true");
  try {
    await deed();
  } catch (problem) {
    if (problem instanceof Left) return;
    if (!(problem instanceof Refusal)) throw problem;
    if (CREDENTIAL_REFUSED.has(problem.code)) signOut({ failed: problem.message });
    else tell(place.open === false ? keys : place, { failed: problem.message });
  } finally {
    place.removeAttribute("aria-busy");
  }
}

// Forms are never sent by the browser, and a second press does nothing while the first is under way.
function onSubmit(place, deed) {
  const form = place.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!place.hasAttribute("aria-busy")) attempt(place, () => deed(form.elements));
  });
}

function copyOnClick(button, text) {
  button.hidden = !navigator.clipboard;
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  };
}

// --- signing in and out --------------------------------------------------------------------------------------------

onSubmit(entrance, async () => {
  const credential = byId("credential");
  session = new Session(credential.value.trim());
  try {
    await list();
  } catch (problem) {
    session?.leave();
    session = null;
    credential.select();
    throw problem;
  }
  credential.value = "";
  entrance.hidden = true;
  keys.hidden = byId("sign-out").hidden = false;
  byId("keys-title").focus();
});

function signOut(told = {}) {
  session?.leave();
  session = null;
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.close();
    clear(dialog);
  }
  for (const form of document.forms) form.reset();
  for (const filled of [rows, byId("units")]) filled.replaceChildren();
  tell(keys);
  entrance.hidden = false;
  keys.hidden = byId("sign-out").hidden = true;
  byId("credential").focus();
  tell(entrance, told);
}

byId("sign-out").addEventListener("click", () => signOut({ done: "You are signed out." }));
// A browser may keep a page that was left, to bring it back as it was.
addEventListener("pagehide", () => signOut());

// --- the list ------------------------------------------------------------------------------------------------------

// Lists the keys from `start` on. Of several lists under way, the one that was asked for last is shown.
async function list({ start = session.start, filter = session.filter } = {}) {
  const turn = ++session.lists;
  const found = await call("listApiKeys", { ...filter, startIndex: start, rowCount: ROWS });
  if (turn !== session.lists) return;
  if (!found.details.length && start > 1) {
    await list({ start: Math.max(1, start - ROWS), filter });
    return;
  }
  Object.assign(session, { start, filter });
  show(found.details);
  const last = start + found.details.length - 1;
  byId("place").textContent = last < start ? "" : `Rows ${start} to ${last}`;
  const ends = { previous: start === 1, next: found.hasMoreRows !== "true" };
  for (const [button, isOver] of Object.entries(ends)) {
    // Not `disabled`, which would take the focus from whoever has just pressed it.
    byId(button).setAttribute("aria-disabled", isOver);
    byId(button).hidden = ends.previous && ends.next;
  }
}

function show(details) {
  const focused = document.activeElement;
  const held = focused?.closest("#rows > tr");
  rows.replaceChildren(...details.map(newRow));
  const control = [".copy", ".email"].find((each) => focused?.matches(each));
  if (held) focusRow({ supportRep: held.dataset.login }, control);
  for (const { businessUnit } of details) if (businessUnit) session.units.add(businessUnit);
  byId("units").replaceChildren(...[...session.units].sort().map((unit) => new Option(unit, unit)));
  const filtered = Object.values(session.filter).some(Boolean);
  byId("nothing").hidden = details.length > 0;
  byId("nothing").textContent = filtered ? "No API key fits the filter." : "No support rep has an API key.";
}

function rowOf({ supportRep }) {
  return [...rows.children].find((row) => row.dataset.login === supportRep);
}

function newRow(details) {
  const row = byId("row").content.firstElementChild.cloneNode(true);
  const part = (name) => row.querySelector(`.${name}`);
  row.dataset.login = details.supportRep;
  part("name").textContent = details.supportRepName;
  part("login").textContent = details.supportRep;
  part("unit").textContent = details.businessUnit;
  part("key").textContent = details.apikey;
  showTime(part("created"), details.createdTime);
  showTime(part("expires"), details.expiresOn);
  part("mark").hidden = !hasExpired(details);
  copyOnClick(part("copy"), details.apikey);
  part("email").onclick = () => openMailing(details);
  part("regenerate").onclick = () => openRegeneration(details);
  part("delete").onclick = () => openDeletion(details);
  for (const button of row.querySelectorAll("button")) {
    button.setAttribute("aria-description", `${details.supportRepName}, ${details.supportRep}`);
  }
  makeMenu(part("more"), part("menu"));
  return row;
}

// A native popover: Escape, a press elsewhere and another menu close it. The arrows are an addition.
function makeMenu(opener, menu) {
  opener.popoverTargetElement = menu;
  const items = [...menu.querySelectorAll("button")];
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
  });
  // Closed at once, so that a dialog which opens next gives the focus back to the opener.
  menu.addEventListener("click", () => menu.hidePopover(), { capture: true });
  opener.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    opener.click();
  });
}

function focusRow(details, control = ".more") {
  const row = rowOf(details) ?? rows.firstElementChild;
  (row?.querySelector(control) ?? byId("generate")).focus();
}

// Removes a rep's row, with the focus going to a row beside it.
function removeRow(details) {
  const row = rowOf(details);
  const near = row?.nextElementSibling ?? row?.previousElementSibling;
  row?.remove();
  (near?.querySelector(".more") ?? byId("generate")).focus();
}

function showTime(element, milliseconds) {
  if (milliseconds === NEVER) {
    element.textContent = "Never";
    return;
  }
  const time = new Date(Number(milliseconds));
  element.dateTime = time.toISOString();
  element.textContent = times.format(time);
}

const hasExpired = ({ expiresOn }) => expiresOn !== NEVER && Number(expiresOn) <= Date.now();

byId("filter").addEventListener("submit", (event) => {
  event.preventDefault();
  const filter = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, value.trim()]));
  attempt(keys, () => list({ start: 1, filter }));
});
byId("filter").addEventListener("reset", () => session && attempt(keys, () => list({ start: 1, filter: {} })));

function turnOnClick(button, step) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    attempt(keys, () => list({ start: Math.max(1, session.start + step) }));
  });
}
turnOnClick(byId("previous"), -ROWS);
turnOnClick(byId("next"), ROWS);

// --- dialogs -------------------------------------------------------------------------------------------------------

// Opens a dialog about one row; what an earlier opening left in it is gone.
function open(dialog, details) {
  tell(keys);
  clear(dialog);
  dialog.details = details;
  for (const whom of dialog.querySelectorAll(".whom")) {
    const { supportRep, supportRepName } = details;
    whom.textContent = supportRepName ? `${supportRepName} (${supportRep})` : supportRep;
  }
  for (const note of dialog.querySelectorAll(".if-own")) note.hidden = !session.isOwn(details);
  dialog.showModal();
}

function clear(dialog) {
  dialog.details = null;
  dialog.querySelector("form").reset();
  for (const shown of dialog.querySelectorAll(".whom, .key, .until")) shown.textContent = "";
  tell(dialog);
}

// Closes a dialog whose deed is done. Who left it meanwhile may have opened it again, about something else.
function finish(dialog, details) {
  if (dialog.details === details) dialog.close();
}

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    const { details } = dialog;
    clear(dialog);
    // The browser gives the focus back to what had it, unless a new list has taken its place. Then the focus stays in
    // the closed dialog for a moment, and is gone.
    const { activeElement } = document;
    const lost = activeElement === document.body || dialog.contains(activeElement);
    if (session && details && lost && !document.querySelector("dialog[open]")) focusRow(details);
  });
}

// Never, or a date and time in the time zone of the browser.
for (const expiry of document.querySelectorAll(".expiry")) {
  expiry.querySelector(".zone").textContent = `Time zone: ${times.resolvedOptions().timeZone}`;
  const date = expiry.querySelector("[name=expiresOn]");
  const follow = () => {
    date.disabled = expiry.querySelector("[value=then]:checked") === null;
  };
  expiry.addEventListener("change", follow);
  // A reset has not happened yet when it is told.
  expiry.form.addEventListener("reset", () => queueMicrotask(follow));
}

function expiresOn({ expires, expiresOn: date }) {
  if (date.closest("fieldset").disabled) return "";
  return expires.value === "never" ? NEVER : String(new Date(date.value).getTime());
}

function askForExpiry(dialog, wanted) {
  const expiry = dialog.querySelector(".expiry");
  expiry.hidden = expiry.disabled = !wanted;
  dialog.querySelector(".if-expired").hidden = !wanted;
  dialog.querySelector(".if-living").hidden = wanted;
}

// --- generate ------------------------------------------------------------------------------------------------------

byId("generate").addEventListener("click", () => open(generation, { apikey: "" }));

onSubmit(generation, async (fields) => {
  const { details: asked } = generation;
  const supportRep = fields.supportRep.value.trim();
  const emailId = fields.emailId.value;
  try {
    const { message, details } = await call("generateApiKey", { supportRep, emailId, expiresOn: expiresOn(fields) });
    finish(generation, asked);
    openOutcome("API Key generated", message, details, emailId);
  } catch (problem) {
    if (problem.code !== MAIL_NOT_SENT) throw problem;
    // The key is there all the same: what is left to do is to mail it.
    const { details } = await call("listApiKeys", { supportRep });
    finish(generation, asked);
    openMailing(details[0]);
    tell(mailing, { failed: `The API Key is generated. ${problem.message}` });
  }
  attempt(keys, list);
});

// --- e-mail --------------------------------------------------------------------------------------------------------

function openMailing(details) {
  open(mailing, details);
}

onSubmit(mailing, (fields) => send(mailing, fields.emailId.value));
onSubmit(outcome, (fields) => send(outcome, fields.emailId.value));

async function send(dialog, emailId) {
  const { details } = dialog;
  const { message } = await call("emailApiKey", { supportRep: details.supportRep, emailId });
  finish(dialog, details);
  tell(keys, { done: `${message} (${emailId})` });
}

// --- regenerate ----------------------------------------------------------------------------------------------------

function openRegeneration(details) {
  askForExpiry(regeneration, hasExpired(details));
  open(regeneration, details);
}

onSubmit(regeneration, async (fields) => {
  const former = regeneration.details;
  try {
    const asked = { supportRep: former.supportRep, expiresOn: expiresOn(fields) };
    const { message, details } = await call("regenerateApiKey", asked);
    const present = { ...former, ...details };
    if (session.isOwn(former)) session.key = present.apikey;
    rowOf(former)?.replaceWith(newRow(present));
    finish(regeneration, former);
    openOutcome("API Key regenerated", message, present);
  } catch (problem) {
    // The clocks of browser and service may differ on whether a key has expired.
    if (problem.code === PARAMETER_MISSING) askForExpiry(regeneration, true);
    throw problem;
  }
});

// The new key, and the step that mails it, unless that was done already.
function openOutcome(title, message, details, mailedTo = "") {
  open(outcome, details);
  const form = outcome.querySelector("form");
  byId("outcome-title").textContent = title;
  byId("outcome-key").textContent = details.apikey;
  showTime(form.querySelector(".until"), details.expiresOn);
  copyOnClick(form.querySelector(".copy"), details.apikey);
  const mail = form.querySelector(".mailing");
  const sender = form.querySelector(".primary");
  mail.hidden = mail.disabled = sender.hidden = Boolean(mailedTo);
  form.querySelector(".cancel").textContent = mailedTo ? "Close" : "Cancel";
  tell(outcome, { done: mailedTo ? `${message} It was sent to ${mailedTo}.` : message });
  (mailedTo ? form.querySelector(".cancel") : form.elements.emailId).focus();
}

// --- delete --------------------------------------------------------------------------------------------------------

function openDeletion(details) {
  open(deletion, details);
}

onSubmit(deletion, async () => {
  const { details } = deletion;
  const { message } = await call("deleteApiKey", { supportRep: details.supportRep });
  if (session.isOwn(details)) {
    signOut({ done: message });
    return;
  }
  finish(deletion, details);
  removeRow(details);
  tell(keys, { done: message });
  await list();
});
