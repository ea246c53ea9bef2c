"""`filterscope open`: the atlas where there is one, else the summary, in the browser or as a path."""

import webbrowser

import pytest

from filterscope.__main__ import main


@pytest.fixture
def browser(monkeypatch):
    """What would be opened; `able` says whether there is a browser."""

    class Browser:
        opened, able = (), True

        def open(self, address):
            self.opened = (*self.opened, address)
            if self.able is None:
                raise webbrowser.Error("could not locate runnable browser")
            return self.able

    made = Browser()
    monkeypatch.setattr(webbrowser, "open", made.open)
    return made


def test_the_atlas_comes_before_the_summary(tmp_path, monkeypatch, browser, capsys):
    monkeypatch.chdir(tmp_path)
    report = tmp_path / "results" / "report"
    (report / "atlas").mkdir(parents=True)
    (report / "summary.html").touch()
    assert main(["open"]) == 0
    assert browser.opened == ((report / "summary.html").as_uri(),)
    (report / "atlas" / "index.html").touch()
    for given in ([], ["results"], [str(tmp_path)]):
        assert main(["open", *given]) == 0
        assert browser.opened[-1] == (report / "atlas" / "index.html").as_uri()
    assert capsys.readouterr().out.splitlines()[-1] == str(report / "atlas" / "index.html")


@pytest.mark.parametrize("able", [False, None])
def test_the_path_is_enough_where_there_is_no_browser(tmp_path, browser, capsys, able):
    browser.able = able
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "summary.html").touch()
    assert main(["open", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / "report" / "summary.html"),
        "No browser could be opened here; that is the page.",
    ]


def test_results_that_are_not_there_or_not_finished(tmp_path, browser, capsys):
    assert main(["open", str(tmp_path / "no")]) == 2
    assert "there is no such folder of results; `filterscope run my.yaml` makes one" in capsys.readouterr().err
    assert main(["open", str(tmp_path)]) == 2
    assert "has neither report/atlas/index.html nor report/summary.html" in capsys.readouterr().err
    assert browser.opened == ()
