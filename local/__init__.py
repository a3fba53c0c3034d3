"""The bundle of template.yaml on one machine: no Docker, no AWS account, no network.

    template   what template.yaml says, expanded by AWS's own translator and resolved to values
    iam        may this caller make this AWS call? Judged by exactly the policies of template.yaml
    aws        the endpoint that stands in for AWS: moto behind the judge, recorded, open to faults
    outbox     the mails that it takes, as files
    stack      template and endpoint together: tables, keys, and the environment of each function
    runtime    the functions, each in processes of its own
    gateway    the HTTP API in front of them
    schedule   the timer behind them
    streams    the tables' streams, and the functions that follow them
    serve      all of it at once: `make run`

Nothing of the application is repeated here. Each module says where it differs from AWS.
"""
