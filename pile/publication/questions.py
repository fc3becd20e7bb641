"""The questions of "Datasheets for Datasets" (Gebru et al., Communications of the ACM 64(12), 2021).

All of them, in their order, each by a word that its answer goes by. Their second halves, which ask to
describe or explain, are left out.
"""

from collections.abc import Mapping
from types import MappingProxyType

_PEOPLE = "(If the dataset relates to people.) "
_MORE = "Any other comments?"

QUESTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Motivation": {
            "purpose": "For what purpose was the dataset created?",
            "creators": "Who created the dataset, and on behalf of which entity?",
            "funding": "Who funded the creation of the dataset?",
            "motivation_more": _MORE,
        },
        "Composition": {
            "instances": "What do the instances that comprise the dataset represent?",
            "number": "How many instances are there in total, of each type?",
            "completeness": "Does the dataset contain all possible instances, or is it a sample from a "
            "larger set?",
            "content": "What data does each instance consist of?",
            "labels": "Is there a label or target associated with each instance?",
            "missing": "Is any information missing from individual instances?",
            "relations": "Are relationships between individual instances made explicit?",
            "splits": "Are there recommended data splits?",
            "errors": "Are there any errors, sources of noise, or redundancies in the dataset?",
            "self_contained": "Is the dataset self-contained, or does it rely on external resources?",
            "confidential": "Does the dataset contain data that might be considered confidential?",
            "offensive": "Does the dataset contain data that, if viewed directly, might be offensive, "
            "insulting, threatening, or might otherwise cause anxiety?",
            "subpopulations": f"{_PEOPLE}Does the dataset identify any subpopulations?",
            "individuals": f"{_PEOPLE}Is it possible to identify individuals, directly or indirectly?",
            "sensitive": f"{_PEOPLE}Does the dataset contain data that might be considered sensitive "
            "in any way?",
            "composition_more": _MORE,
        },
        "Collection process": {
            "acquisition": "How was the data associated with each instance acquired?",
            "mechanisms": "What mechanisms or procedures were used to collect the data?",
            "sampling": "If the dataset is a sample from a larger set, what was the sampling strategy?",
            "collectors": "Who was involved in the data collection process, and how were they "
            "compensated?",
            "timeframe": "Over what timeframe was the data collected?",
            "ethics": "Were any ethical review processes conducted?",
            "directness": f"{_PEOPLE}Did you collect the data from the individuals in question directly, "
            "or obtain it via third parties or other sources?",
            "notification": f"{_PEOPLE}Were the individuals in question notified about the data "
            "collection?",
            "consent": f"{_PEOPLE}Did the individuals in question consent to the collection and use of "
            "their data?",
            "revocation": f"{_PEOPLE}If consent was obtained, were the consenting individuals provided "
            "with a mechanism to revoke their consent?",
            "impact": f"{_PEOPLE}Has an analysis of the potential impact of the dataset and its use on "
            "data subjects been conducted?",
            "collection_more": _MORE,
        },
        "Preprocessing, cleaning, labelling": {
            "preprocessing": "Was any preprocessing, cleaning or labelling of the data done?",
            "raw": "Was the raw data saved in addition to the preprocessed, cleaned, labelled data?",
            "software": "Is the software that was used to preprocess, clean or label the data available?",
            "preprocessing_more": _MORE,
        },
        "Uses": {
            "used": "Has the dataset been used for any tasks already?",
            "repository": "Is there a repository that links to papers or systems that use the dataset?",
            "tasks": "What other tasks could the dataset be used for?",
            "future": "Is there anything about the composition of the dataset, or the way it was "
            "collected and preprocessed, that might impact future uses?",
            "unfit": "Are there tasks for which the dataset should not be used?",
            "uses_more": _MORE,
        },
        "Distribution": {
            "parties": "Will the dataset be distributed to third parties outside of the entity on behalf "
            "of which it was created?",
            "channel": "How will the dataset be distributed, and does it have a digital object "
            "identifier?",
            "time": "When will the dataset be distributed?",
            "licence": "Will the dataset be distributed under a copyright or other licence, or under "
            "terms of use?",
            "restrictions": "Have any third parties imposed restrictions on the data associated with the "
            "instances?",
            "export": "Do any export controls or other regulatory restrictions apply to the dataset or to "
            "individual instances?",
            "distribution_more": _MORE,
        },
        "Maintenance": {
            "maintainer": "Who will be supporting, hosting, maintaining the dataset?",
            "contact": "How can the owner, curator, manager of the dataset be contacted?",
            "erratum": "Is there an erratum?",
            "updates": "Will the dataset be updated?",
            "retention": f"{_PEOPLE}Are there applicable limits on the retention of the data associated "
            "with the instances?",
            "versions": "Will older versions of the dataset continue to be supported, hosted, "
            "maintained?",
            "contribution": "If others want to extend, augment, build on or contribute to the dataset, "
            "is there a mechanism for them to do so?",
            "maintenance_more": _MORE,
        },
    }
)
"""By section: each question by the word that its answer goes by."""
