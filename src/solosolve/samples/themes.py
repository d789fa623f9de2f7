"""The planted themes: what a narrative can mention, how often, its effect on the outcome, and in which words.

Every sentence of a theme contains at least one of its marker words, and no other sentence does, so that token counts
reveal the theme.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solosolve.samples.distributions import Bools, Floats


@dataclass(frozen=True)
class Theme:
    """A theme that narratives can mention.

    Attributes:
        name: Short name, in snake case.
        share: Share of narratives that mention it.
        effect: What it adds to the strength of a complaint (log-odds).
        markers: Words that only this theme's sentences contain.
        sentences: Its sentences, as templates with slots.
    """

    name: str
    share: float
    effect: float
    markers: tuple[str, ...]
    sentences: tuple[str, ...]


THEMES: tuple[Theme, ...] = (
    Theme(
        "broken_promise",
        0.14,
        -0.70,
        ("promised", "honored"),
        (
            "On {date} {name} promised {remedy}, and it was never honored.",
            "I was promised {remedy} within {span}.",
            "What they promised me on the phone was not honored by {firm}.",
            "They promised {remedy} {count} times and nothing came of it.",
            "{Firm} promised in writing to put this right and then acted as if no one had promised anything.",
            "The agreement that {name} made with me was not honored.",
            "I relied on what was promised, and {firm} went back on its word.",
        ),
    ),
    Theme(
        "repeated_calls",
        0.16,
        -0.45,
        ("called", "hold", "transferred", "supervisor"),
        (
            "I have called {count} times and was left on hold each time.",
            "I called on {date}, was transferred {count} times, and the line went dead.",
            "No supervisor was ever available when I called.",
            "After {span} of this I called once more and was put on hold for an hour.",
            "Each person I was transferred to had a different story.",
            "I asked for a supervisor and {name} told me there was none.",
            "They transferred me from desk to desk and the supervisor never came to the phone.",
        ),
    ),
    Theme(
        "ignored_letters",
        0.12,
        -0.40,
        ("certified", "ignored", "unanswered"),
        (
            "I sent a certified letter on {date} and it was ignored.",
            "My certified mail was signed for by {name} and left unanswered.",
            "{Firm} ignored {count} written requests.",
            "Every message through the website went unanswered for {span}.",
            "They ignored the deadline, and my second certified letter as well.",
            "All of my mail to {firm} has been ignored or left unanswered.",
        ),
    ),
    Theme(
        "legal_threat",
        0.08,
        -0.55,
        ("attorney", "lawsuit", "sue", "court"),
        (
            "I will be speaking to an attorney if this goes on.",
            "I am ready to take {firm} to court.",
            "My attorney says that this is grounds for a lawsuit.",
            "If nothing is done within {span} I intend to sue.",
            "I would rather not sue, but {firm} leaves me no choice except a lawsuit.",
            "I have kept every record for my attorney and for the court.",
        ),
    ),
    Theme(
        "past_complaint",
        0.10,
        -0.45,
        ("earlier", "reopened", "complained"),
        (
            "I complained about the same thing on {date} and {firm} gave a canned reply.",
            "This is not new: an earlier case was closed without anyone reading it.",
            "I complained {count} times through this office and want the case reopened.",
            "The earlier case number is {name} and it needs to be reopened.",
            "Nothing has changed since I complained {span} back.",
            "Their answer to my earlier case was simply untrue.",
        ),
    ),
    Theme(
        "hardship",
        0.09,
        -0.15,
        ("hospital", "children", "laid", "disabled"),
        (
            "I was laid off and I have {count} children to feed.",
            "I was in the hospital for {span} when this began.",
            "My husband is disabled and this is costing us our sleep.",
            "With the hospital bills on top of this, my children are going without.",
            "Since I was laid off every dollar counts.",
        ),
    ),
    Theme(
        "anger",
        0.08,
        -0.35,
        ("scam", "disgraceful", "crooks", "thieves"),
        (
            "This is a scam, plain and simple.",
            "These people are crooks and their conduct is disgraceful.",
            "How {firm} is allowed to run a scam like this is beyond me.",
            "It is disgraceful what they do to working people.",
            "They are thieves in suits.",
            "Only crooks would keep {amount} that is not theirs.",
        ),
    ),
    Theme(
        "thanks",
        0.14,
        0.50,
        ("thank", "appreciate", "grateful"),
        (
            "Thank you for taking the time to look at this.",
            "I would appreciate any help you can give.",
            "I am grateful for whatever {firm} can do.",
            "{Name} was polite to me, which I appreciate.",
            "Thank you in advance, and thank you for this service.",
            "I would be grateful for a short note when it is done.",
        ),
    ),
    Theme(
        "partly_settled",
        0.10,
        0.70,
        ("apologized", "settled", "goodwill"),
        (
            "{Firm} has since apologized and most of this is settled.",
            "{Name} apologized on {date} and part of it was settled the same day.",
            "As goodwill they already took care of {amount}.",
            "What remains to be settled is small, and they apologized for the rest.",
            "The main point was settled within {span}, I only want it in writing.",
            "They showed goodwill and apologized for the mix-up.",
        ),
    ),
    Theme(
        "plain_question",
        0.12,
        0.40,
        ("explain", "clarify", "wondering"),
        (
            "I would like {firm} to explain how this came about.",
            "Could someone clarify what the next step is?",
            "I am wondering why {amount} shows up at all.",
            "Please explain in plain words what I am looking at.",
            "I was wondering if {firm} could clarify the timeline.",
            "Nobody has been able to explain this to me so far.",
        ),
    ),
    Theme(
        "evidence",
        0.15,
        0.20,
        ("attached", "copies", "receipts"),
        (
            "I attached copies of everything I have.",
            "The attached pages show {amount} on {date}.",
            "I kept receipts for all of it and can send copies.",
            "Copies of my statements are attached.",
            "My receipts prove what I am saying.",
            "See the attached page signed by {name}.",
        ),
    ),
    Theme(
        "first_time",
        0.08,
        0.35,
        ("loyal", "happy"),
        (
            "I have been a loyal customer for {count} years.",
            "Until now I was happy with {firm}.",
            "I was always happy with how they treated me before this.",
            "As a loyal customer I expect this can be put right quickly.",
            "I am a loyal client and this is the only trouble we ever had.",
        ),
    ),
)

THEME_EFFECTS: Floats = np.array([theme.effect for theme in THEMES])
THEME_SHARES: Floats = np.array([theme.share for theme in THEMES])


def planted_strength(themes: Bools, effects: Floats = THEME_EFFECTS) -> Floats:
    """Returns what the themes of each narrative add to its complaint's strength.

    Args:
        themes: Which themes each narrative mentions; shape (narratives, themes).
        effects: Each theme's effect (log-odds); shape (themes,).

    Returns:
        The sum of the themes' effects, centred on its expected value.
    """
    strength: Floats = themes @ effects - float(effects @ THEME_SHARES)
    return strength
