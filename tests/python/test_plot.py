"""Figures are those of the report, drawn by the program."""

import re
import xml.etree.ElementTree as ET

import pytest
from conftest import make

import cohort_flow as cf


@pytest.fixture(scope="module")
def bundle():
    return cf.ingest("wide-table", make(1200, 1))


@pytest.fixture(scope="module")
def fitted(bundle):
    return cf.GaussianMixture().fit(bundle)


def drawing(figure):
    """The root of a drawing that is well-formed by itself."""
    return ET.fromstring(figure.content)


def test_missing_values_are_drawn_as_in_the_report(bundle, fitted, tmp_path):
    figure = bundle.plot.missing()
    assert drawing(figure).tag == "{http://www.w3.org/2000/svg}svg"
    assert figure._repr_svg_() == figure._repr_html_() == figure.content
    bars = re.findall(r'<rect [^>]*fill="var\(--data\)"[^>]*>', figure.content)
    assert len(bars) >= 2, "lactate and gcs miss values"
    report = cf.report(bundle, [fitted])
    page = report.path.read_text(encoding="utf-8")
    assert all(bar in page for bar in bars), "a bar is not the report's"
    # The colours that the drawing names are in it.
    for colour in set(re.findall(r"var\((--[a-z]+)\)", figure.content)):
        assert f"{colour}:" in figure.content, colour
    assert figure.save(tmp_path / "missing.svg").read_text(encoding="utf-8") == figure.content
    with pytest.raises(cf.CohortFlowError, match=r"this figure is a drawing"):
        figure.save(tmp_path / "missing.png")


def test_marginals_are_drawn_for_every_feature(bundle, fitted):
    figure = fitted.plot.marginals()
    assert figure._repr_svg_() is None and "<iframe srcdoc=" in figure._repr_html_()
    assert figure.content.count('<svg role="img"') == len(bundle.columns)
    again = fitted.model_.plot.marginals(bundle)
    assert again.content == figure.content
    unknown = cf.Model(fitted.model_._files)
    with pytest.raises(cf.CohortFlowError, match="held-out records"):
        unknown.plot.marginals()


def test_flags_draw_their_p_values(fitted, bundle):
    detector = cf.OutlierDetector(cf.GaussianMixture()).fit(make(1200, 1))
    flags = detector.flags(make(400, 3))
    assert len(flags) == 400 and flags.n_flagged == int(flags.frame("pandas")["flagged"].sum())
    figure = flags.plot()
    assert "Distribution of p-values" in figure.content
    drawing(figure)
    few = detector.flags(make(30, 4))
    with pytest.raises(cf.CohortFlowError, match="too few p-values"):
        few.plot()
