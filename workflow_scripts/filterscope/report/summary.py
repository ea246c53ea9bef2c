"""What a study found in full, room by room, from its tables: pages of sections, as text and as HTML."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import jinja2
import pandas as pd
from markupsafe import Markup

from filterscope.schemas.values import RECALL
from filterscope.words.naming import BELIEVED, called
from filterscope.words.proofs.verdicts import CAUSED, NOT_CAUSED, UNTOLD
from filterscope.words.scoring.leaders import leaders
from filterscope.words.scoring.score_table import ROW_NAMES, SCORE_NAMES

# Words of an image among which the new ones are counted; recall at as many stands beside them.
FIRST = 5

PAGE = jinja2.Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2328; max-width: 64em; margin: 2em auto; padding: 0 1em;
  overflow-wrap: break-word }
.scroll { overflow-x: auto; margin: 0.6em 0 1.4em }
table { border-collapse: collapse; font-size: 14px }
th, td { text-align: left; padding: 0.25em 0.9em 0.25em 0; border-bottom: 1px solid #d0d7de; overflow-wrap: normal }
h2 { margin-top: 1.8em } a { color: #0a57c2 }
figure { margin: 0 0 1.4em } img { max-width: 100% } figcaption { color: #59616b; font-size: 13px }
.filters { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(47%, 12em), 1fr)); gap: 0.8em;
  padding: 0; list-style: none; font-size: 13px; line-height: 1.35 }
.filters a { color: inherit; text-decoration: none } .filters img { display: block; width: 100%; height: auto }
</style></head><body>
<h1>{{ title }}</h1>
{% if lead %}<p><a href="{{ lead.link }}">{{ lead.caption }}</a></p>
{% endif %}{% for section in sections %}<h2>{{ section.title }}</h2>
{% if section.gallery %}<ul class="filters">
{% for each in section.gallery %}<li><a href="{{ each.link }}">{% if each.picture %}<img src="{{ each.source }}"
width="{{ each.width }}" height="{{ each.height }}" alt="{{ each.alt }}">{% endif %}<b>{{ each.name }}</b>,
{{ each.status }}<br>filter {{ each.number }}{% if each.words %}: {{ each.words }}{% endif %}</a></li>
{% endfor %}</ul>
{% endif %}{% for line in section.lines %}<p>{{ line }}</p>
{% endfor %}{% for table in section.tables %}<div class="scroll" tabindex="0" role="group"
aria-label="{{ section.title }}">{{ table }}</div>
{% endfor %}{% for each in section.figures if each.png %}<figure><img src="{{ each.source }}" alt="{{ each.caption }}">
<figcaption>{{ each.caption }}</figcaption></figure>
{% endfor %}{% for each in section.figures if not each.png %}<p><a href="{{ each.link }}">{{ each.caption }}</a></p>
{% endfor %}{% endfor %}</body></html>
""",
    autoescape=True,
)


@dataclass(frozen=True)
class ShownFigure:
    """A figure: what it shows, where it lies as seen from the page, and its PNG; None for one that is only linked."""

    caption: str
    link: str
    png: bytes | None

    @property
    def source(self) -> str:
        """Contents as an address, so that the page can be carried off alone."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


@dataclass(frozen=True)
class ShownFilter:
    """A filter with its name: status and words; layer: what that is called; link: its page in the atlas, as seen from
    the page that it is on; sheet: its sheet, if there is one; picture: WebP of what excites it, None without one."""

    number: int
    name: str
    status: str
    words: str
    layer: str
    link: str
    sheet: str | None = None
    picture: bytes | None = None
    width: int = 368
    height: int = 120

    @property
    def source(self) -> str:
        """The picture as an address, so that the page can be carried off alone."""
        return f"data:image/webp;base64,{base64.b64encode(self.picture).decode()}"

    @property
    def alt(self) -> str:
        """What the picture shows, for those who hear the page."""
        return f"The photographs that excite filter {self.number} of {self.layer} most, bright where it fires"


@dataclass
class Section:
    """A heading, some filters with their names, some sentences, some tables and some figures."""

    title: str
    lines: list[str]
    tables: list[pd.DataFrame]
    figures: list[ShownFigure] = field(default_factory=list)
    gallery: Sequence[ShownFilter] = ()


def explanation_section(
    title: str,
    words: pd.DataFrame,
    names: pd.DataFrame,
    claims: pd.DataFrame | None,
    scores: pd.DataFrame | None,
    known: pd.DataFrame | None,
    sanity: pd.DataFrame | None,
    causes: pd.DataFrame | None = None,
    remarks: Sequence[str] = (),
    new: float | None = None,
    shown: int = 10,
    gallery: Sequence[ShownFilter] = (),
) -> Section:
    """What one probe's filters are called, how far that can be believed, and whether known answers came out.

    words, names: `filter_words`, `filter_names`. claims, scores, sanity and causes are None where there are no masks,
    known where no right names are known. remarks: sentences on thresholds, top images and names. new: share of new
    words among the first FIRST of every image, None where no image has words. gallery: filters that are shown first.
    """
    lines, tables = [], []
    if known is not None:
        lines.append(_known(known))
    if claims is None:
        lines.append(
            "These photographs have no masks: names cannot be scored, and whether they are supported is unknown."
            f"{_reference(names)}"
        )
    else:
        lines.append(_support(claims))
        if causes is not None:
            lines.append(_causes(claims, causes))
        lines += [leaders(scores), _sanity(sanity)]
        apart = scores["candidates"].str.contains("unsupervised")
        tables.append(score_table(scores[~apart]))
        if apart.any():
            tables.append(score_table(scores[apart]))
    if new is not None:
        lines.append(_new(new, scores))
    lines += remarks
    tables.append(name_table(words, names, claims, shown, causes))
    return Section(title, lines, tables, gallery=gallery)


def _support(claims: pd.DataFrame) -> str:
    """How many claims masks support, beside the decoys, or that this cannot be told, in a sentence."""
    dead = int(claims["dead"].sum())
    live = len(claims) - dead
    if claims["told"].all():
        said = (
            f"{int(claims['supported'].sum())} of {live} live filters have a supported claim "
            f"({int(claims['lent_supported'].sum())} of {int(claims['lent'].sum())} lent claims of another word would "
            "be called so)"
        )
    else:
        said = (
            f"Which of {live} live filters have a supported claim cannot be told: there are too few decoys (filters, "
            "images) to hold the share of false ones, so none is called supported"
        )
    return f"{said}; {dead} filters are dead{_listed(claims)}."


def _reference(names: pd.DataFrame) -> str:
    """What the reference's masks and objects say of the same claims, in a sentence; "" where nothing was asked."""
    statuses = names["reference_status"].dropna()
    if not len(statuses):
        return ""
    supported, proved = int(statuses.isin(BELIEVED).sum()), int((statuses == BELIEVED[0]).sum())
    return (
        f" Of {len(statuses)} filters that claim the same on the reference dataset, {supported} are supported there, "
        f"{proved} of them proved."
    )


def _new(share: float, scores: pd.DataFrame | None) -> str:
    """The share of new words beside recall, for one is had at the cost of the other; in a sentence."""
    said = f"{share:.0%} of the first {FIRST} words of an image are new: no category has their lemma"
    if scores is None:
        return f"{said}."
    asked = {"row": "words", "metric": RECALL, "candidates": "vocabulary", "k": FIRST}
    rows = scores.loc[(scores[list(asked)] == pd.Series(asked)).all(axis=1) & scores["value"].notna()]
    if not len(rows):
        return f"{said}; recall@{FIRST} was not measured."
    recall = rows.iloc[0]
    return f"{said}; their recall@{FIRST} is {recall['value']:.3f} [{recall['low']:.3f}, {recall['high']:.3f}]."


def _known(known: pd.DataFrame) -> str:
    parts = [
        f"{int(part['passed'].sum())} of {len(part)} {kind} filters"
        for kind, part in known.groupby("detects", sort=False)
    ]
    return f"Known answers: {int(known['passed'].sum())} of {len(known)} filters got a right word ({', '.join(parts)})."


def _causes(claims: pd.DataFrame, causes: pd.DataFrame) -> str:
    """Of how many claims the named objects are the cause, beside the decoys, in a sentence."""
    counts = causes["status"].value_counts()
    told = counts.get(CAUSED, 0) + counts.get(NOT_CAUSED, 0)
    proved = causes.loc[causes["status"] == CAUSED, "filter"].isin(claims.loc[claims["supported"], "filter"]).sum()
    decoys = causes["lent_caused"].dropna()
    untold = causes.loc[(causes["status"] == UNTOLD) & causes["claim"].notna(), "reason"].str.split(":").str[0]
    reasons = "; ".join(f"{count} {reason}" for reason, count in untold.value_counts().items())
    said = (
        f"{proved} names are proved: supported by masks, and the named objects, laid into images without them and "
        f"taken out of theirs, change the filter more than other objects do. The latter holds for "
        f"{counts.get(CAUSED, 0)} of the {told} claims of which it can be told, and for {int(decoys.sum())} of "
        f"{len(decoys)} claims lent by other filters"
    )
    return f"{said}{f'; it cannot be told of {len(untold)} more ({reasons})' if len(untold) else ''}."


def _sanity(sanity: pd.DataFrame) -> str:
    """Which scores notice that the labels are wrong, in a sentence."""
    parts = []
    for test, rows in sanity.groupby("test", sort=False):
        passed = rows.loc[rows["passed"].fillna(False).astype(bool), "metric"].tolist()
        parts.append(f"{test.replace('_', ' ')} by {', '.join(map(_score, passed)) if passed else 'no score'}")
    return (
        f"Sanity tests, noticed in more than nine filters of ten: {'; '.join(parts)} (of {sanity['metric'].nunique()} "
        "scores; sanity.csv). A score that does not notice is to be read beside its nulls only."
    )


def _score(metric: str) -> str:
    """What people call a score of claims or of pixels."""
    return SCORE_NAMES.get(metric, metric.replace("_", " "))


def _listed(claims: pd.DataFrame, most: int = 20) -> str:
    dead = claims.loc[claims["dead"], "filter"].tolist()
    if not dead:
        return ""
    more = f" and {len(dead) - most} more" if len(dead) > most else ""
    return f" ({', '.join(map(str, dead[:most]))}{more})"


def score_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores as a person reads them: one line per row, value and interval per score."""
    scores = scores.assign(
        score=[
            (
                f"recall@{k}, {where}"
                if metric == RECALL
                else SCORE_NAMES.get(metric, metric)
                if where == "categories"
                else f"{SCORE_NAMES.get(metric, metric)}, {where}"
            )
            .replace("vocabulary_unsupervised", "vocabulary, never supervised")
            .replace("unsupervised", "never supervised")
            for metric, k, where in zip(scores["metric"], scores["k"], scores["candidates"], strict=True)
        ],
        text=[
            "not measurable"
            if pd.isna(value)
            else f"{value:.3f}"
            if pd.isna(low)
            else f"{value:.3f} [{low:.3f}, {high:.3f}]"
            for value, low, high in zip(scores["value"], scores["low"], scores["high"], strict=True)
        ],
    )
    order = list(dict.fromkeys(scores["score"]))
    wide = scores.pivot(index="row", columns="score", values="text")[order]
    wide = wide.reindex([row for row in ROW_NAMES if row in wide.index])
    return wide.rename(index=ROW_NAMES).reset_index().rename(columns={"row": ""}).rename_axis(columns=None)


def name_table(
    words: pd.DataFrame,
    names: pd.DataFrame,
    claims: pd.DataFrame | None,
    shown: int,
    causes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The names of the best supported filters, or of those with most votes where nothing is scored."""
    named = words.assign(word=[f"{w}*" if new else w for w, new in zip(words["word"], words["novel"], strict=True)])
    lists = named.sort_values("rank").groupby("filter")["word"].agg(lambda each: ", ".join(each[:5]))
    if claims is None:
        votes = words[words["rank"] == 0].sort_values(["votes", "filter"], ascending=[False, True])
        best = votes["filter"][:shown]
        own = names.set_index("filter").loc[best]
        table = pd.DataFrame(
            {
                "filter": best.to_numpy(),
                "untested name": called(own).to_numpy(),
                "words (* new)": [lists[each] for each in best],
                "votes": votes["votes"][:shown].to_numpy(),
            }
        )
        if own["reference_status"].isna().all():
            return table
        return table.assign(
            **{
                "status on the reference": own["reference_status"].to_numpy(),
                "AUPRC on the reference": [_auprc(row) for row in own.itertuples()],
            }
        )
    supported = claims[claims["supported"]]
    supported = supported.assign(margin=supported["auprc"] - supported["null"]).sort_values("margin", ascending=False)
    supported = supported[supported["filter"].isin(lists.index)][:shown]
    table = pd.DataFrame(
        {
            "filter": supported["filter"],
            "words (* new)": [lists[each] for each in supported["filter"]],
            "claim": supported["claim"],
            "AUPRC": [_auprc(row) for row in supported.itertuples()],
        }
    )
    if causes is None:
        return table
    own = causes.set_index("filter").loc[supported["filter"]]
    return table.assign(**{"cause, spreads": [_cause(row) for row in own.itertuples()]})


def _auprc(row) -> str | None:
    if pd.isna(row.auprc):
        return None
    return f"{row.auprc:.3f} [{row.low:.3f}, {row.high:.3f}], null {row.null:.3f}"


def _cause(row) -> str:
    said = row.status.replace("_", " ")
    if pd.isna(row.effect):
        return f"{said}: {row.reason}"
    return f"{said}: {row.effect:.2f} [{row.low:.2f}, {row.high:.2f}], null {row.null:.2f}"


def as_html(title: str, sections: list[Section], lead: ShownFigure | None = None) -> str:
    """The page as HTML; lead: a page that is linked first."""
    shown = [
        {
            "title": section.title,
            "lines": section.lines,
            # pandas escapes what stands in the cells.
            "tables": [Markup(table.to_html(index=False, border=0, na_rep="")) for table in section.tables],
            "figures": section.figures,
            "gallery": section.gallery,
        }
        for section in sections
    ]
    return PAGE.render(title=title, sections=shown, lead=lead)


def as_text(title: str, sections: list[Section], lead: ShownFigure | None = None) -> str:
    """The page as Markdown that is also readable as it is; lead: a page that is linked first."""
    parts = [f"# {title}", *([f"[{lead.caption}]({lead.link})"] if lead else [])]
    for section in sections:
        named = [f"- [{cell(each.name)}]({each.link}), {each.status}: filter {each.number}" for each in section.gallery]
        parts += [
            f"## {section.title}",
            *(["\n".join(named)] if named else []),
            *section.lines,
            *(_markdown(table) for table in section.tables),
        ]
        parts += [f"{'!' if each.png else ''}[{each.caption}]({each.link})" for each in section.figures]
    return "\n\n".join(parts) + "\n"


def _markdown(table: pd.DataFrame) -> str:
    cells = [
        [cell(name) for name in table.columns],
        *([cell(value) for value in row] for row in table.itertuples(index=False)),
    ]
    widths = [max(len(row[index]) for row in cells) for index in range(len(table.columns))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def cell(value: object) -> str:
    """A cell's text in one line, empty without a value; what would end it is escaped, as in users' class names."""
    if pd.isna(value):
        return ""
    return re.sub(r"([\\|])", r"\\\1", " ".join(str(value).split()))
