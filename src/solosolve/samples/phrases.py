"""The neutral sentences of the grammar, and the words that fill its slots.

A slot in braces is filled per sentence: `{date}`, `{name}` and `{amount}` by the narrative's redactions and amounts,
`{thing}`, `{firm}` and `{remedy}` by the product family, `{count}` and `{span}` freely.
"""

from __future__ import annotations

OPENINGS_REDACTED = (
    "On {date} I wrote to {name} about my {thing}.",
    "I am filing this about {name} and what they did to my {thing} on {date}.",
    "My {thing} with {name} has been wrong since {date}.",
    "This concerns {name}, who has handled my {thing} since {date}.",
    "On {date} I opened an account with {name}.",
    "{Name} is the company responsible for my {thing} since {date}.",
    "I live at {name} and this is about my {thing}.",
    "My name is {name} and my account ends in {name}.",
)
OPENINGS_PLAIN = (
    "I am filing this about my {thing}.",
    "I need help with my {thing}.",
    "My {thing} has been wrong for {span}.",
    "This is about {firm} and my {thing}.",
    "For {span} I have tried to sort out my {thing}.",
    "I noticed a problem with my {thing} and reported it at once.",
    "There is a mistake in my {thing}.",
    "I have had trouble with {firm} for {span}.",
)
CLOSINGS = (
    "I want {remedy}.",
    "Please see to it that I get {remedy}.",
    "All I ask for is {remedy}.",
    "I expect {remedy} within {span}.",
    "What would make this right is {remedy}.",
    "I hope this office can get me {remedy}.",
    "Please look into this.",
    "Please help me.",
    "I look forward to your reply.",
    "This needs to stop.",
)
GENERAL = (
    "This has been going on for {span}.",
    "It started on {date}.",
    "I spoke with {name} and got nowhere.",
    "Their records and mine do not agree.",
    "I checked my own papers and they say something else.",
    "The person at the desk was {name}.",
    "I was told to wait {span}.",
    "I waited {span} and nothing moved.",
    "On {date} I looked at the account online and it was the same.",
    "It took {count} tries to reach anyone at {firm}.",
    "I did everything they asked of me.",
    "I was given reference number {name}.",
    "Nobody at {firm} seems to know what the other hand is doing.",
    "My wife saw the same thing on {date}.",
    "I have a log of all that happened since {date}.",
    "They say the computer shows it and that is that.",
    "I do not see how this can be right.",
    "I have wasted {span} on this.",
    "The website shows one thing and the paper another.",
    "At the branch they sent me away.",
)
AMOUNTS = (
    "The amount in dispute is {amount}.",
    "It comes to {amount} in all.",
    "They say that I owe {amount}.",
    "I paid {amount} on {date}.",
    "My balance went from {amount} to {amount}.",
    "That is {amount} out of my pocket.",
    "I am out {amount} because of this.",
    "The figure went up by {amount} for no reason.",
)
QUOTED = (
    'The notice says "your request has been processed" and nothing else.',
    'I was told "there is nothing we can do" by {name}.',
    'They list it as "past due" even though it is not.',
    'The page only says "pending" day after day.',
    'The form asks for a "reason code" that nobody could give me.',
    'Someone wrote "paid as agreed" next to it and then removed it.',
)
BY_GROUP: dict[str, tuple[str, ...]] = {
    "wrong_entry": (
        "There are {count} accounts listed that do not belong to me.",
        "The entry from {name} shows a late payment that never happened.",
        "The balance, the dates and the status are all reported wrong.",
        "This entry is dragging my score down.",
        "I asked for this item to be deleted or verified under the law.",
        "The address on my file is one where I never lived.",
    ),
    "improper_use": (
        "There are {count} inquiries that I did not authorize.",
        "{Name} pulled my file on {date} without a permissible purpose.",
        "I never gave consent for anyone to look at or share my information.",
        "My private data was passed on to strangers.",
        "The inquiry must be removed since I never applied for anything.",
        "They discussed my affairs with a relative.",
    ),
    "investigation": (
        "I disputed the item and the result came back as verified within a day.",
        "The investigation took longer than thirty days.",
        "No real investigation was made, they only parroted what {name} reported.",
        "I disputed this on {date} and never saw any results.",
        "They claim my dispute was frivolous.",
        "The same item came back after it was deleted.",
    ),
    "access": (
        "I cannot get my report because the site says my identity does not match.",
        "My freeze was not lifted when I asked for it.",
        "The monitoring service I pay for did not alert me.",
        "I tried to place a fraud alert {count} times.",
        "They want documents that I already uploaded on {date}.",
        "My PIN does not work and the recovery page fails.",
    ),
    "not_owed": (
        "I do not owe this debt.",
        "The account they want me to pay was paid off on {date}.",
        "I have never had an account with {name}.",
        "This was the result of identity theft and I filed a police report.",
        "The bill belongs to someone with a similar name.",
        "The debt was discharged and is too old to collect.",
    ),
    "notice": (
        "I never received a validation notice.",
        "{Firm} did not send anything in writing within five days.",
        "I asked them to validate the debt and they sent a bare printout.",
        "The notice does not say who the original creditor is.",
        "I disputed the debt in writing on {date} and collection went on.",
        "They cannot show a contract with my signature.",
    ),
    "tactics": (
        "The phone rings before eight in the morning and late at night.",
        "They contacted my employer and told them about it.",
        "{Name} said that my wages would be garnished.",
        "They left messages with my neighbor.",
        "I asked them in writing to stop and the calls kept coming.",
        "The collector claimed to be from the county.",
    ),
    "hardship": (
        "I applied for a modification on {date} and sent the package {count} times.",
        "They say documents are missing each time I send them.",
        "A sale date was set while my application was under review.",
        "I asked for a lower payment that I can afford.",
        "My income dropped and I can not keep up with the payments.",
        "I was denied for a repayment plan with no reason given.",
    ),
    "servicing": (
        "My payment of {date} was not applied.",
        "The escrow went up although my taxes did not.",
        "The account was moved to a new servicer and my history was lost.",
        "They apply my money to interest and not to principal.",
        "I asked for a payoff statement and got {count} different numbers.",
        "My automatic payment was taken twice.",
    ),
    "application": (
        "I was approved and then denied for reasons that make no sense.",
        "The closing was delayed by {span}.",
        "The rate I was quoted is not the rate in the papers.",
        "They asked for the same pay stubs {count} times.",
        "My application has been under review since {date}.",
        "I was denied because of something that is not mine.",
    ),
    "account": (
        "{Firm} closed my account without a word.",
        "My account has been locked since {date}.",
        "I asked them to close the account and it is still open.",
        "They will not release the money that is in there.",
        "I was to receive a bonus for opening the account.",
        "The terms were changed with no notice.",
    ),
    "transaction": (
        "There was a withdrawal of {amount} that I did not make.",
        "The transfer was sent on {date} and never arrived.",
        "A stranger got into my account and moved {amount}.",
        "My claim for the fraud was denied.",
        "The deposit is being held for {span}.",
        "I reported the card as stolen right away.",
    ),
    "fees": (
        "I was charged a fee of {amount} with no warning.",
        "The interest is more than I was told it would be.",
        "They posted the charges in an order that caused {count} overdraft fees.",
        "I paid on time and still got a late fee.",
        "The rate went up to a level that I never agreed to.",
        "Nothing in the contract mentions this fee.",
    ),
    "purchase": (
        "I disputed a charge of {amount} from a merchant who did not deliver.",
        "The goods were sent back on {date} and I am still billed.",
        "{Firm} took the side of the merchant.",
        "I did not make this purchase.",
        "The statement lists the same purchase twice.",
        "The subscription was canceled and they kept billing my card.",
    ),
    "offers": (
        "The offer said I would get {amount} after {count} purchases.",
        "The points that I earned are gone.",
        "Someone added a service to my account that I did not want.",
        "The advertisement said zero percent and that was not so.",
        "They changed the conditions after I had signed up.",
        "I was passed over because the fine print says otherwise.",
    ),
}

THINGS = {
    "report": ("credit report", "credit file", "report"),
    "debt": ("alleged debt", "account in collection", "old bill"),
    "mortgage": ("mortgage", "home loan", "mortgage account"),
    "card": ("credit card", "card account", "card"),
    "bank": ("checking account", "bank account", "savings account"),
    "student": ("student loan", "student loans", "federal loan"),
    "vehicle": ("auto loan", "car loan", "vehicle lease"),
    "loan": ("loan", "personal loan", "installment loan"),
    "transfer": ("transfer", "wallet account", "wire"),
}
FIRMS = {
    "report": ("the bureau", "the agency"),
    "debt": ("the collector", "the agency"),
    "mortgage": ("the servicer", "the lender"),
    "card": ("the card issuer", "the bank"),
    "bank": ("the bank", "the branch"),
    "student": ("the loan servicer", "the servicer"),
    "vehicle": ("the finance company", "the lender"),
    "loan": ("the lender", "the loan company"),
    "transfer": ("the payment company", "the app"),
}
REMEDIES = {
    "report": ("a deletion of the entry", "a corrected report", "the removal of this item"),
    "debt": ("proof of the debt", "an end to the collection", "a zero balance letter"),
    "mortgage": ("a proper payment history", "a review of my file", "a corrected escrow analysis"),
    "card": ("a refund", "a statement credit", "my fee back"),
    "bank": ("my money back", "access to my account", "a refund"),
    "student": ("the right payment count", "an income based plan", "a corrected balance"),
    "vehicle": ("my title", "a refund", "a corrected payoff"),
    "loan": ("a refund", "a payment plan", "a paid in full letter"),
    "transfer": ("my money back", "a refund", "the transfer completed"),
}
NAMES_PLAIN = ("the manager", "a clerk", "their office", "the agent", "the desk", "a man there", "a lady there")
NAMES_REDACTED = ("XXXX", "XXXX XXXX", "XXXX", "XXXX XXXX XXXX")
DATES_PLAIN = (
    "the first of the month",
    "the due date",
    "that Friday",
    "a Monday",
    "the same day",
    "the 15th",
    "New Year's Day",
)
DATES_REDACTED = ("XX/XX/XXXX",)
AMOUNTS_PLAIN = ("the full sum", "that sum", "the money", "the balance", "the charge")
COUNTS = ("two", "three", "four", "five", "six", "seven", "eight", "a dozen", "several", "many")
SPANS = ("three days", "a week", "two weeks", "three weeks", "a month", "two months", "half a year", "a year")
FORMULA_STARTS = ("- ", "= ", "+", "@")
