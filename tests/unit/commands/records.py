"""What Snakemake logs, made by hand."""

import logging


def record(event=None, msg=None, created=0.0, level=logging.INFO, **fields):
    made = logging.LogRecord("snakemake", level, "workflow.py", 1, msg, (), None)
    made.created = created
    vars(made).update(fields if event is None else {"event": event, **fields})
    return made


def begins(number, rule, created, log=(), said=None):
    return record("job_info", created=created, jobid=number, rule_name=rule, rule_msg=said, log=list(log))


def ends(number, created):
    return record("job_finished", created=created, job_id=number)
