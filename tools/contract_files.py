"""The contract for programs in other languages: as JSON, and as a header for C and C++."""

from __future__ import annotations

import json
from pathlib import Path

from adder_runtime.contract import (
    CHANNELS,
    CONTRACT_VERSION,
    DIGITS,
    INPUTS,
    KEY_MEANINGS,
    NUMBERS,
    SIDE,
    UNREAD,
    Approach,
    describe_contract,
    outputs,
    sum_scores,
)

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
DATA, HEADER = ARTIFACTS / "contract.json", ARTIFACTS / "adder_edge.h"


def contents() -> dict[Path, str]:
    """What each file holds."""
    return {DATA: contract_data(), HEADER: contract_header()}


def contract_data() -> str:
    """The contract of both approaches as JSON."""
    return json.dumps({str(each): describe_contract(each) for each in Approach}, indent=2) + "\n"


def contract_header() -> str:
    """Names, keys and ranges as macros: a name that is misspelt does not compile."""
    classify, regress = (sum_scores(approach) for approach in Approach)
    lines = [
        "/* The contract of the model files of adder-edge, for C and C++: written from it by `make readme`. */",
        "#ifndef ADDER_EDGE_H",
        "#define ADDER_EDGE_H",
        "",
        f'#define ADDER_CONTRACT_VERSION "{CONTRACT_VERSION}"',
        "",
        "/* Inputs */",
        *(_named(spec.name, spec.name, _kind(spec.dtype, spec.shape), spec.meaning) for spec in INPUTS),
        "",
        "/* Outputs */",
    ]
    for spec in outputs(Approach.CLASSIFY):
        if spec == classify:
            kind = f"{_kind(spec.dtype, spec.shape)} or {list(regress.shape)}"
            lines.append(_named(spec.name, spec.name, kind.replace("'", ""), "the scores of both approaches"))
            lines.append(f"/*   classify: {classify.meaning} */")
            lines.append(f"/*   regress: {regress.meaning} */")
        else:
            lines.append(_named(spec.name, spec.name, _kind(spec.dtype, spec.shape), spec.meaning))
    lines += [
        "",
        "/* Ranges */",
        f"#define ADDER_UNREAD ({UNREAD}) /* the digit where there is nothing to read, the sum where there is none */",
        f"#define ADDER_LEAST_NUMBER {NUMBERS[0]}",
        f"#define ADDER_LARGEST_NUMBER {NUMBERS[-1]}",
        f"#define ADDER_DIGIT_COUNT {len(DIGITS)}",
        f"#define ADDER_MOST_CHANNELS {CHANNELS[-1]}",
        f"#define ADDER_INK_SIDE {SIDE}",
        "",
        "/* Keys of the file's metadata */",
        *(f'#define ADDER_KEY_{key.name} "{key}" /* {meaning} */' for key, meaning in KEY_MEANINGS.items()),
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def _named(macro: str, name: str, kind: str, meaning: str) -> str:
    return f'#define ADDER_{macro.upper()} "{name}" /* {kind}: {meaning} */'


def _kind(dtype: str, shape: tuple[int | str, ...]) -> str:
    return f"{dtype} [{', '.join(str(axis) for axis in shape)}]"
