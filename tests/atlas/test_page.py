"""The atlas as a person uses it: opened from the disk in a browser, without a network."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from tests.atlas.made_senses import IMAGES
from tests.atlas.synthetic import ACROSS, NEAR_PLANTED, PLANTED, SENSED, STATUSES, TILE, Synthetic
from tests.atlas.visits import ADDRESSES

pytestmark = pytest.mark.browser

HOSTILE = (
    '</script><script>window.hit = 1</script><img src=x onerror="window.hit = 2">\'"&amp;`${window.hit = 3}`'
    "{{ 7 * 7 }} \u202e\u05e9\u05dc\u05d5\u05dd \u2028 \u0000 %00 javascript:window.hit=4 "
)


@pytest.fixture
def page(visit, made_up):
    """A visit to the small atlas."""
    return visit(made_up[0])


def changed(path, change):
    """Write the study of an atlas anew, changed by a function."""
    file = path.parent / "data/study.js"
    written = file.read_text()
    study = json.loads(written[written.index(",") + 1 : written.rindex(")")])
    file.write_text(f'filterscope.receive("study",{json.dumps(change(study))});')


class TestEveryPage:
    @pytest.mark.parametrize("width", [390, 1280, 1920])
    def test_is_drawn_without_a_complaint_and_fits_the_window(self, visit, made_up, width):
        page = visit(made_up[0], width, "dark" if width == 390 else "light")
        for address in ADDRESSES:
            page.open(address)
            assert page.text("main h1"), address
            assert page.overflow <= 0, address
            assert page.page.locator(".failed").count() == 0, address

    @pytest.mark.slow
    @pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
    def test_has_no_serious_finding_of_axe(self, visit, made_up, width, scheme):
        library = pytest.importorskip(
            "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
        )
        page = visit(made_up[0], width, scheme)
        for address in ADDRESSES:
            page.open(address)
            found = (
                library.Axe()
                .run(page.page, options={"preload": False, "resultTypes": ["violations"]})
                .response["violations"]
            )
            serious = [
                (each["id"], [node["html"][:200] for node in each["nodes"][:3]])
                for each in found
                if each["impact"] in ("serious", "critical")
            ]
            assert serious == [], address

    def test_names_the_table_of_every_number(self, page):
        told = ".panel, .verdict, .versus, .layer-row, .search-group"
        lacking = (
            f"[...document.querySelectorAll('main :is({told})')].filter((each) => each.id !== 'cite'"
            " && /[0-9]/.test(each.innerText) && !each.querySelector('a.source')).map((each) => each.innerText)"
        )
        for address in ADDRESSES:
            assert page.open(address).page.evaluate(lacking) == [], address

    def test_is_there_for_a_study_without_layers(self, visit, tmp_path):
        page = visit(Synthetic(layers=0).write(tmp_path)).open()
        assert "No layer" in page.text(".facts")
        for address in ("#/diagnosis", "#/temperature", "#/search?q=a"):
            assert page.open(address).text("main h1"), address

    def test_forbids_what_is_not_in_its_files(self, page):
        page.open()
        assert "script-src 'self'" in page.page.locator("meta[http-equiv]").get_attribute("content")
        page.page.evaluate(
            "const s = document.createElement('script'); s.textContent = 'window.hit = 1'; document.head.append(s)"
        )
        assert page.page.evaluate("window.hit") is None
        assert any("Content Security Policy" in each for each in page.complaints)
        page.complaints.clear()

    def test_moves_nothing_for_those_who_ask_for_that(self, visit, made_up):
        still = visit(made_up[0], motion="reduce").open("#/layer/0")
        assert still.page.evaluate("getComputedStyle(document.querySelector('.card')).transitionDuration") == "0s"


class TestSearch:
    @pytest.mark.parametrize("asked", [PLANTED, f"{PLANTED}s", PLANTED[:5], "zepelin", NEAR_PLANTED, SENSED])
    def test_leads_from_a_word_to_the_filter_that_knows_it(self, page, made_up, asked):
        page.open()
        page.page.keyboard.press("/")
        page.page.keyboard.type(asked)
        page.page.keyboard.press("Enter")
        page.until("location.hash.startsWith('#/search')")  # the first page has cards, too
        page.until("document.querySelectorAll('.card').length === 1")
        page.page.locator(".card a").click()
        page.settled()
        layer, number = made_up[1].planted
        assert page.address == f"#/filter/{layer}/{number}"
        assert PLANTED in page.text("main h1")

    def test_says_so_where_no_filter_knows_the_word(self, page):
        page.open("#/search?q=qqqqqqqq")
        page.page.wait_for_selector("main [role=status]")
        assert page.text("main [role=status]").startswith("None")
        assert page.page.locator(".card").count() == 0

    def test_leads_to_the_classes_of_that_name(self, page):
        page.open("#/search?q=circles")
        page.page.locator(".pill-list a", has_text="units1").click()
        page.settled()
        assert page.address == "#/class/1"

    def test_suggests_words_while_one_types(self, page):
        page.open("#/layer/1")
        page.page.locator("#search").fill("zep")
        assert PLANTED in page.text(".suggestions li")
        page.page.keyboard.press("ArrowDown")
        page.page.keyboard.press("Enter")
        page.until("document.querySelectorAll('.card').length === 1")
        assert page.address == f"#/layer/1?q={PLANTED}"


class TestLayer:
    def test_counts_what_the_table_counts(self, page, made_up):
        page.open("#/layer/0")
        right = Counter(STATUSES[code] for code in made_up[1].statuses[0])
        shown = dict(each.rsplit(maxsplit=1) for each in page.page.locator(".chips .chip").all_inner_texts())
        assert {status: int(count) for status, count in shown.items()} == right

    def test_shows_a_status_on_every_card(self, page, made_up):
        page.open("#/layer/0")
        texts = page.page.locator(".gallery .card").all_text_contents()
        assert len(texts) == made_up[1].filters
        codes = made_up[1].statuses[0]
        assert all(STATUSES[code] in text for code, text in zip(codes, texts, strict=True))

    def test_keeps_filters_of_the_chosen_statuses(self, page, made_up):
        page.open("#/layer/0")
        page.page.locator(".chips .chip", has_text="silent").click()
        silent = [number for number, code in enumerate(made_up[1].statuses[0]) if STATUSES[code] == "silent"]
        page.until(f"document.querySelectorAll('.card').length === {len(silent)}")
        assert [int(each) for each in page.page.locator(".card-number").all_text_contents()] == silent
        assert page.address == "#/layer/0?status=silent"

    def test_hands_over_the_chosen_filters_as_csv(self, page, made_up):
        page.open("#/layer/0")
        page.page.get_by_role("button", name="Select").click()
        for number in (3, 8):
            page.page.get_by_label(f"Select filter {number}", exact=True).check()
        with page.page.expect_download() as download:
            page.page.get_by_role("button", name="Export 2 as CSV").click()
        rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
        assert [row["filter"] for row in rows] == ["3", "8"]
        assert [row["status"] for row in rows] == [STATUSES[made_up[1].statuses[0][each]] for each in (3, 8)]
        assert [row["name"] or None for row in rows] == [made_up[1].named[0][each] for each in (3, 8)]

    def test_opens_a_filter_from_the_map(self, page):
        page.open("#/layer/0")
        canvas = page.page.locator(".map canvas")
        box = canvas.bounding_box()
        place = page.page.evaluate(
            "([w, h]) => { const l = filterscope.store.peekLayer(0);"
            " return [18 + l.x[5] * (w - 36), 18 + (1 - l.y[5]) * (h - 36)]; }",
            [box["width"], box["height"]],
        )
        canvas.click(position={"x": place[0], "y": place[1]})
        page.settled()
        assert page.address == "#/filter/0/5"


class TestAddresses:
    def test_survive_a_reload(self, page):
        page.open("#/layer/0?map=firing&sort=evidence&status=proved%2Csupported")
        before = page.page.locator(".card-number").all_text_contents()
        page.page.reload()
        page.settled()
        assert page.address == "#/layer/0?map=firing&sort=evidence&status=proved%2Csupported"
        assert page.page.locator(".card-number").all_text_contents() == before
        assert page.page.locator(".map-head [aria-pressed=true]").inner_text() == "firing together"

    def test_are_gone_back_to(self, page):
        page.open("#/layer/0?sort=evidence")
        page.page.evaluate("scrollTo(0, 900)")
        page.page.wait_for_timeout(100)
        page.page.locator(".card a").nth(40).click()
        page.settled()
        assert page.address.startswith("#/filter/0/")
        page.page.go_back()
        page.settled()
        assert page.address == "#/layer/0?sort=evidence"
        page.until("scrollY > 500")

    def test_of_what_is_not_there_say_so(self, page):
        page.open("#/filter/0/99999")
        assert "no filter 99999" in page.text("main h1")
        page.open("#/photograph/0/5")
        assert "no photograph 5" in page.text("main h1")
        page.open("#/layer/77")
        assert page.text("main h1") == "There is no such page"

    def test_of_what_the_study_does_not_name_ask_for_no_file(self, visit, tmp_path):
        page = visit(Synthetic(layers=0).write(tmp_path))
        for kind in ("class/7", "networks/7", "occlusion/7", "photographs/7", "photograph/7/1"):
            assert page.open(f"#/{kind}").text("main h1") == "There is no such page", kind
        study = tmp_path / "data/study.js"
        study.write_text(study.read_text().replace('"pages":["diagnosis","temperature"]', '"pages":[]'))
        (tmp_path / "data/diagnosis.js").unlink()
        assert page.open("#/diagnosis").text("main h1") == "There is no such page"


class TestKeyboard:
    def test_arrows_go_through_filters_in_the_order_of_the_list(self, page):
        page.open("#/layer/0?sort=evidence&status=proved")
        order = [int(each) for each in page.page.locator(".card-number").all_text_contents()]
        page.page.locator(".card a").first.click()
        page.settled()
        page.page.keyboard.press("ArrowRight")
        page.until(f"location.hash === '#/filter/0/{order[1]}'")
        page.page.keyboard.press("ArrowLeft")
        page.until(f"location.hash === '#/filter/0/{order[0]}'")
        page.until("document.querySelector('.stepper').textContent.includes('1 of')")

    def test_no_arrow_is_lost_where_they_come_faster_than_filters_are_drawn(self, page):
        page.open("#/filter/0/3")
        keys = "for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft'])"
        page.page.evaluate(f"{keys} document.body.dispatchEvent(new KeyboardEvent('keydown', {{key, bubbles: true}}))")
        page.until("location.hash === '#/filter/0/5'")

    def test_arrows_move_within_the_gallery(self, page):
        page.open("#/layer/0")
        page.page.locator(".card a").first.focus()
        page.page.keyboard.press("ArrowRight")
        page.page.keyboard.press("ArrowRight")
        page.page.keyboard.press("ArrowLeft")
        assert page.page.evaluate("document.activeElement.dataset.row") == "1"

    def test_question_mark_opens_help_and_escape_closes_it(self, page):
        page.open()
        page.page.keyboard.press("?")
        page.page.wait_for_selector("dialog[open]")
        assert "proved" in page.text("dialog")
        page.page.keyboard.press("Escape")
        page.page.wait_for_selector("dialog", state="detached")

    def test_typing_into_the_search_is_no_command(self, page):
        page.open()
        page.page.locator("#search").fill("")
        page.page.locator("#search").press("?")
        assert page.page.locator("dialog").count() == 0


class TestFilter:
    def test_paints_the_heatmap_over_its_photographs(self, page):
        page.open("#/filter/1/77")
        read = "[...document.querySelector('.tops canvas').getContext('2d').getImageData(0, 0, 7, 7).data]"
        alphas = page.page.evaluate(read)[3::4]
        assert min(alphas) == 0, "where the filter fires most nothing is darkened"
        assert max(alphas) > 200
        slider = page.page.get_by_role("slider", name="Heatmap")
        slider.fill("0")
        assert page.page.locator(".tops canvas").first.evaluate("each => each.style.opacity") == "0"

    def test_shows_score_interval_and_null_on_one_bar(self, page):
        page.open("#/filter/1/77")
        told = page.page.locator(".evidence").first.get_attribute("aria-label")
        assert told.startswith("AUPRC")
        assert "null" in told
        bar = page.page.locator(".evidence-track").first
        assert bar.locator(".dot, .band, .nil-edge").count() == 3

    def test_cuts_out_what_its_strongest_places_see(self, page, made_up):
        page.open("#/filter/1/77")
        assert "its receptive field there, 25 % of the side" in page.text(".panel:has(.crops) h3")
        # A quarter of what the network sees, here the whole photograph, which fills its tile from left to right.
        shown = page.page.locator(".crops .tile").first.evaluate("each => each.style.backgroundSize").split()
        assert 100 * ACROSS / float(shown[0].rstrip("%")) == pytest.approx(0.25)
        page.open(f"#/filter/0/{made_up[1].believed(0)[0]}")
        assert "details around the strongest places" in page.text(".panel:has(.crops) h3")

    def test_names_the_tables_of_its_numbers(self, page):
        page.open("#/filter/1/77")
        links = page.page.locator("a.source").evaluate_all("all => all.map((each) => each.getAttribute('href'))")
        assert "../../words/made%20up/filter_claims.csv" in links
        assert "../../words/made%20up/top_images.csv" in links
        panels = page.page.locator(".panel", has=page.page.locator("h2", has_text="How far its name"))
        assert panels.locator("a.source").count() >= 2

    def test_shows_no_photograph_where_none_is_passed_on(self, visit, tmp_path):
        page = visit(Synthetic(filters=70, planted=(1, 7), pictures="none").write(tmp_path)).open("#/filter/1/7")
        assert page.page.locator(".tops .tile.blank").count() == page.page.locator(".tops .tile").count() > 0


class TestSenses:
    def test_are_shown_with_words_pictures_and_what_chance_would_find(self, page):
        page.open("#/filter/1/7")
        panel = page.page.locator(".panel", has=page.page.locator("h2", has_text="Senses: 2"))
        assert panel.locator(".sense").count() == 2
        assert panel.locator(".sense .tells").count() == 2
        assert panel.locator(".sense .picture").count() == 2
        table = panel.locator(".firm tbody tr").all_inner_texts()
        assert [each.split() for each in table[:2]] == [
            ["senses", "2", "1", "1"],
            ["strength", "0.800", "0.300", "0.200", "≥", "0.600"],
        ]
        assert panel.locator(".crops a").count() == IMAGES

    def test_of_a_filter_with_one_or_of_which_nothing_can_be_told_say_so(self, page):
        page.open("#/filter/1/2")
        assert page.page.locator(".panel h2", has_text="Senses: one").count() == 1
        page.open("#/filter/1/1")
        panel = page.page.locator(".panel", has=page.page.locator("h2", has_text="Senses"))
        assert "cannot be told: it fires in 3 of its images" in panel.inner_text()

    def test_mean_images_are_the_means_of_what_is_seen(self, page):
        page.open("#/filter/1/7")
        tile = page.page.locator(".mean").first
        with Image.open(io.BytesIO(tile.screenshot())) as seen:
            shown = np.asarray(seen.convert("RGB"), np.float64)[24:-24, 24:-24].mean((0, 1))
        with Image.open(page.path.parent / "photographs/0/0.webp") as sprite:
            whole = np.asarray(sprite.convert("RGB"), np.float64)
        parts = []
        for row in range(7, 7 + IMAGES, 2):  # every second one is of the first sense
            top, left = TILE * (row // ACROSS), TILE * (row % ACROSS)
            parts.append(whole[top + 34 : top + 56, left + 34 : left + 56].mean((0, 1)))  # the middle of the window
        assert np.abs(shown - np.mean(parts, 0)).max() < 12

    def test_are_not_seen_where_photographs_are_not_passed_on(self, visit, tmp_path):
        page = visit(Synthetic(filters=70, planted=(1, 7), pictures="none").write(tmp_path)).open("#/filter/1/7")
        assert page.page.locator(".sense").count() == 2
        assert page.page.locator(".mean").count() == 0

    def test_sort_a_layer(self, page):
        page.open("#/layer/0?sort=senses")
        numbers = [int(each) for each in page.page.locator(".card-number").all_text_contents()]
        assert all(number % 7 == 0 for number in numbers[:22])
        assert page.text(".card-note") == "senses 2"


class TestOutputUnits:
    def test_lead_to_the_facets_of_their_class(self, page):
        page.open("#/filter/0/0")
        page.page.locator(".facts a", has_text="facets of the class").click()
        page.settled()
        assert page.address == "#/class/0"
        page.open("#/filter/0/1")
        assert page.page.locator(".facts a", has_text="facets of the class").count() == 0


class TestCovering:
    def test_says_what_it_does_to_a_filter(self, page):
        page.open("#/filter/1/77")
        panel = page.page.locator(".panel", has=page.page.locator("h2", has_text="What covering does to it"))
        assert panel.locator(".covered ul li").all_inner_texts() == [
            "ring\n20 %\nfalls out",
            "star\n10 %\nstays, place 3",
        ]
        assert "at 3 of 16 places" in panel.inner_text()


class TestNetworks:
    def test_are_compared_by_a_chosen_criterion_with_its_tests(self, page):
        page.open("#/networks/0")
        assert page.text("main h1") == "Networks compared"
        assert page.page.locator(".networks .intervals .interval-row.own").count() == 2
        assert page.page.locator("table tbody tr").count() == 1
        page.page.get_by_role("button", name="natural colours").click()
        assert "Not to be believed with units1" in page.text(".networks")
        assert page.page.locator(".networks .intervals .interval-row.own").count() == 1
        assert page.page.locator("table tbody tr").count() == 0

    def test_a_class_has_a_row_for_each(self, page):
        for address, here in (("#/networks/0", 0), ("#/class/0", 1)):
            page.open(address)
            rows = page.page.locator(".network-row")
            assert [each.locator("img").count() for each in rows.all()] == [2, 3], address
            assert page.page.locator(".network-row h3", has_text="this page").count() == here

    def test_are_reached_from_the_first_page(self, page):
        page.open()
        page.page.locator("main a", has_text="Networks compared").click()
        page.settled()
        assert page.address == "#/networks/0"


class TestClass:
    def test_has_a_picture_of_each_facet_around_its_map(self, page):
        page.open("#/class/0")
        pictures = page.page.locator(".plate-picture")
        assert pictures.count() == 2
        boxes = [each.bounding_box() for each in (pictures.first, page.page.locator(".plate-map"), pictures.last)]
        middles = [box["x"] + box["width"] / 2 for box in boxes]
        assert middles == sorted(middles)
        pictures.last.click()
        page.until("document.getElementById('facet-1').getBoundingClientRect().top < innerHeight / 2")


class TestColours:
    def test_follow_the_system_and_then_the_reader(self, visit, made_up):
        page = visit(made_up[0], scheme="dark").open()
        colour = "getComputedStyle(document.body).backgroundColor"
        dark = page.page.evaluate(colour)
        button = page.page.get_by_role("button", name="Colours")
        button.click()
        page.until(f"{colour} !== '{dark}'")
        light = page.page.evaluate(colour)
        page.page.reload()
        page.settled()
        assert page.page.evaluate(colour) == light


class TestCurves:
    def test_are_hidden_by_their_legend_and_read_by_keys(self, page):
        page.open("#/temperature")
        figure = page.page.locator(".curves").first
        assert figure.locator(".curve").count() == 3
        figure.get_by_role("button", name="one_cycle").click()
        assert figure.locator(".curve").count() == 2
        figure.locator("svg").focus()
        page.page.keyboard.press("ArrowRight")
        assert "constant" in figure.locator(".tip").inner_text()
        assert "one_cycle" not in figure.locator(".tip").inner_text()

    def test_of_a_null_are_told_from_what_was_measured(self, page):
        page.open("#/diagnosis")
        figure = page.page.locator(".curves").first
        dashes = figure.locator(".curve").evaluate_all(
            "all => all.map((each) => getComputedStyle(each).strokeDasharray)"
        )
        assert len(set(dashes)) == 2
        assert figure.locator(".curve.nil").count() == 1
        assert "Dotted: shuffled labels" in figure.inner_text()


class TestTables:
    def test_say_what_their_columns_mean_and_how_many_rows_there_are(self, page):
        page.open("#/diagnosis")
        table = page.page.locator(".table-figure").first
        assert "40 rows" in table.locator(".sources").inner_text()
        table.locator("summary").click()
        assert "accuracy\nshare of the samples" in table.locator(".meanings").inner_text()


class TestTwoStudies:
    def test_what_became_of_every_name_is_counted(self, visit, two_studies):
        path, made = two_studies
        page = visit(path).open("#/compare/0/1")
        assert page.text("main h1") == "Two studies"
        kinds = Counter()
        for was, now in zip(*made.named, strict=True):
            if was is None:
                kinds["no name in both" if now is None else "name gained"] += 1
            else:
                kinds["name lost" if now is None else "same name" if was == now else "another name"] += 1
        shown = [each.rsplit(maxsplit=1) for each in page.page.locator(".panel .chips .chip").all_inner_texts()]
        assert {kind: int(count) for kind, count in shown} == kinds

    def test_filters_of_the_same_number_stand_side_by_side(self, visit, two_studies):
        page = visit(two_studies[0]).open("#/compare/0/1?kind=lost")
        numbers = page.page.locator(".pairs .card-number").all_inner_texts()
        assert len(numbers) >= 2
        assert numbers[::2] == numbers[1::2]
        first, second = two_studies[1].named
        assert all(first[int(each)] is not None and second[int(each)] is None for each in numbers[::2])
        correlations = [float(each) for each in page.page.locator(".pair-note").all_inner_texts()]
        assert correlations == sorted(correlations), "those that changed most come first"
        assert correlations == [round(1 - int(each) / two_studies[1].filters, 2) for each in numbers[::2]]

    def test_they_can_be_turned_round_and_matched_by_firing(self, visit, two_studies):
        page = visit(two_studies[0]).open("#/compare/1/0?kind=gained")
        first, second = two_studies[1].named
        numbers = [int(each) for each in page.page.locator(".pairs .card-number").all_inner_texts()]
        assert all(first[each] is not None and second[each] is None for each in numbers)
        page.page.get_by_role("button", name="firing together").click()
        page.until("location.hash === '#/compare/1/0?match=firing'")
        assert "Filters that fire together" in page.text("main")

    def test_the_first_page_tells_them_apart_and_leads_to_both(self, visit, two_studies):
        page = visit(two_studies[0]).open()
        assert f"{two_studies[1].filters} filters of 1 layer" in page.text(".facts")
        assert "Beside it: the other study" in page.text("#beside")
        assert page.page.locator(".nav a", has_text="Compare").get_attribute("href") == "#/compare/1/0"
        page.page.locator("#beside a", has_text="Compare").click()
        page.settled()
        assert page.address == "#/compare/1/0", "the earlier study stands first"


class TestOddData:
    @pytest.mark.parametrize(
        "text",
        [HOSTILE, "W" * 10_000, "W " * 5_000, "\u202e" + "\u05d0" * 300, "__proto__", "constructor"],
        ids=["markup", "long", "many words", "right to left", "prototype", "inherited"],
    )
    def test_is_shown_as_text(self, visit, tmp_path, text):
        page = visit(Synthetic(filters=70, photographs=8, planted=(1, 7), text=text).write(tmp_path), 390)
        for address in (*ADDRESSES[:3], "#/filter/1/7", *ADDRESSES[4:]):
            page.open(address)
            assert page.page.evaluate("window.hit") is None, address
            assert page.overflow <= 0, address
            assert page.page.evaluate("document.documentElement.scrollHeight") < 25_000, address
            assert page.page.locator("main script, main img[src=x]").count() == 0
        page.open("#/study")
        assert " ".join(text.split())[:30].strip("\u2028\x00 ") in " ".join(page.text("h1").split())

    def test_that_say_nothing_are_still_named(self, visit, tmp_path):
        page = visit(Synthetic(filters=10, photographs=8, planted=(1, 7), text=" ").write(tmp_path))
        assert page.open("#/study").text("main h1") == "(blank)"

    def test_of_other_rooms_alone_stand_at_the_left(self, visit, tmp_path):
        path = Synthetic(layers=0).write(tmp_path)
        nothing = {"classes": [], "networks": [], "photographs": [], "occlusions": [], "scores": {}}
        changed(path, lambda study: study | nothing)
        page = visit(path).open("#/study")
        assert page.page.locator(".column .panel").first.bounding_box()["x"] < 100

    def test_of_facets_alone_show_classes_first_and_no_empty_layers(self, visit, tmp_path):
        path = Synthetic(layers=2, filters=10, planted=(0, 7)).write(tmp_path)
        changed(path, lambda study: study | {"verdict": ["Photographs of 1 class were grouped."], "best": []})
        empty = {"filters": 0, "explained": False}
        changed(path, lambda study: study | {"layers": [each | empty for each in study["layers"]]})
        for number in range(2):
            said = f'"layer/{number}",{{"number":{number},"count":0,"statuses":[],"columns":{{}}}}'
            (tmp_path / f"data/layers/{number}.js").write_text(f"filterscope.receive({said});")
        page = visit(path).open("#/study")
        assert page.page.locator(".class-list img").count() == 2
        assert page.page.locator(".layer-row, .nav select").count() == 0
        assert "Facets of 1 class" in page.text(".facts")
        for key in "gcgl":
            page.page.keyboard.press(key)
        page.settled()
        assert page.address in ("", "#/study"), "no layers to go to"
        page.open("#/class/0")
        assert "output unit 0" in page.text(".facts")
        assert page.page.locator(".facts a").count() == 0, "no filter to lead to"

    def test_links_lead_to_files_only(self, visit, tmp_path):
        synthetic = Synthetic(filters=10, photographs=8, planted=(1, 7))
        path = synthetic.write(tmp_path)
        file = tmp_path / "data/study.js"
        file.write_text(file.read_text().replace("../summary.html", "javascript:window.hit=1"))
        page = visit(path).open()
        assert page.page.locator("a[href^=javascript]").count() == 0

    def test_of_another_format_are_refused(self, visit, made_up, tmp_path):
        shutil.copytree(made_up[0].parent, tmp_path / "atlas")
        file = tmp_path / "atlas/data/study.js"
        file.write_text(file.read_text().replace('"format":1', '"format":2'))
        page = visit(tmp_path / "atlas/index.html").open()
        assert "of format 1; data/study.js has format 2" in page.text(".failed")

    def test_that_are_missing_are_named(self, visit, made_up, tmp_path):
        shutil.copytree(made_up[0].parent, tmp_path / "atlas")
        (tmp_path / "atlas/data/details/1/1.js").unlink()
        page = visit(tmp_path / "atlas/index.html").open("#/filter/1/77")
        assert "data/details/1/1.js" in page.text(".failed")
        assert any("ERR_FILE_NOT_FOUND" in each or each.startswith("failed") for each in page.complaints)
        page.complaints.clear()


class TestStudy:
    def test_adds_up(self, page, made_up):
        page.open()
        counts = page.page.locator(".layer-row").evaluate_all(
            "all => all.map((row) => [...row.querySelectorAll('.layer-counts b')].map((b) => Number(b.textContent)))"
        )
        assert [sum(each) for each in counts] == [made_up[1].filters] * made_up[1].layers

    def test_shows_filters_with_what_they_look_at_before_anything_else(self, visit, made_up):
        for width in (390, 1280):
            page = visit(made_up[0], width).open()
            cards = page.page.locator(".verdict .card")
            assert cards.count() == 4
            assert cards.first.bounding_box()["y"] < 860
            assert page.page.locator(".verdict .card canvas.heat").count() == 4
        assert [int(each) for each in page.page.locator(".verdict .card-number").all_inner_texts()] == made_up[
            1
        ].believed(0)[:4]

    def test_shows_the_layers_of_a_network_one_after_another(self, page):
        page.open()
        panel = page.page.locator(".panel", has=page.page.locator("h2", has_text="From layer to layer: blocks"))
        assert panel.locator(".curve").count() == 1
        assert panel.locator(".axes text").all_text_contents()[-3:] == ["0", "1", "layer"]
        panel.locator("li a").nth(1).click()
        page.settled()
        assert page.address == "#/layer/1"

    def test_folds_away_all_but_the_first_warnings(self, visit, made_up, tmp_path):
        shutil.copytree(made_up[0].parent, tmp_path / "atlas")
        many = [{"layer": 0, "text": f"Doubt {number}."} for number in range(30)]
        changed(tmp_path / "atlas/index.html", lambda study: study | {"warnings": many})
        page = visit(tmp_path / "atlas/index.html").open()
        seen = page.page.locator(".warnings > li:visible")
        assert seen.count() == 6
        page.page.locator("summary", has_text="24 more").click()
        assert seen.count() == 30

    def test_says_that_it_counts_the_photographs_that_are_shown(self, page):
        page.open()
        assert "photographs shown here" in page.text(".photo-link")

    def test_shows_scores_beside_nulls(self, page):
        page.open()
        labels = page.page.locator(".interval-label").all_inner_texts()
        assert labels[0] == "Filterscope’s words"
        assert "a network never trained" in labels
