from __future__ import annotations

from solosolve.dashboard.views.effects import effect_table, marked, shown_effects
from solosolve.model.effects import Effect
from solosolve.storage.model_explainer import Explanation
from support.components import as_json, text_of

LOST, PAID = (Effect("“lost”", -0.5, "lost"), -9.0), (Effect("“paid”", 0.5, "paid"), 9.0)


def test_marks_stand_at_each_occurrence_of_a_word_and_the_text_is_unchanged() -> None:
    text = "<b>LOST</b> & lost, not unlost or lost's;\n paid"
    parts = marked(text, [LOST, PAID])
    assert "".join(part if isinstance(part, str) else part.children for part in parts) == text
    marks = [(part.children, part.className) for part in parts if not isinstance(part, str)]
    assert marks == [("LOST", "lowers"), ("lost", "lowers"), ("paid", "raises")]


def test_markup_in_a_text_is_sent_as_text() -> None:
    assert marked("<mark>x</mark>", [LOST]) == ["<mark>x</mark>"]


def test_effects_that_round_to_nothing_are_left_out() -> None:
    explanation = Explanation(0.5, 0.0, (Effect("large", 0.4), Effect("small", 0.001), Effect("none", 0.0)))
    assert [effect.name for effect, _ in shown_effects(explanation)] == ["large"]
    assert "large +9.9" in text_of(effect_table(explanation))
    assert '"width": "100%"' in as_json(effect_table(explanation))


def test_prediction_that_nothing_moved_says_so() -> None:
    assert text_of(effect_table(Explanation(0.5, 0.0, ()))) == "No feature moved this prediction."
