"""The tables that stages hand to each other, by name."""

from __future__ import annotations

from filterscope.schemas import activations, data, diagnosis, pictures, report, robustness, senses, temperature, words
from filterscope.schemas.columns import Schema

SCHEMAS: dict[str, Schema] = {
    **data.SCHEMAS,
    **activations.SCHEMAS,
    **words.SCHEMAS,
    **pictures.SCHEMAS,
    **senses.SCHEMAS,
    **diagnosis.SCHEMAS,
    **robustness.SCHEMAS,
    **temperature.SCHEMAS,
    **report.SCHEMAS,
}
