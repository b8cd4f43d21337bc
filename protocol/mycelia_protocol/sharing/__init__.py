"""Who gets what, and why: the pure part of sharing. Spec: sections 8.6 to 8.10, appendix C.4.

Everything here is a function of plain values. Nothing knows records, logs or the state: a caller
fills the views of `views.py` from what it holds, and two callers with the same views come to the
same integers, on every machine and in every language.

    categories, aliases     what things are called, and what people type instead
    distance                metres between two coarse places
    exact                   the few helpers with which all arithmetic stays below 2^53
    policy, baselines       the document that members vote, and six of them to begin with
    views                   what a decision is made from: offer, requests, collectives
    gates, factors          who may be given something, and six numbers from 0 to 1000
    judge, order, decide    candidates with scores; whose turn it is; lot by lot
    change, explain         the smallest change with another outcome; sentences from the numbers
    metrics, audit          ratios; what an audit counts
    figures, health         all figures of an audit side by side; how a living place fares

Spec: section 8.8 for the whole calculation, with every rounding.
"""
