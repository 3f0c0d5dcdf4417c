"""The page that joins a run's report, in Markdown."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import asdict, fields
from typing import Any

from adder_runtime.contract import Approach
from adder_trainer.abstention import unknown_table
from adder_trainer.confidence import calibration_table, consistent_table, risk_table
from adder_trainer.evaluation import Evaluation
from adder_trainer.options import RecipeName
from adder_trainer.rendered import rendered_table
from adder_trainer.training import RECIPES, Recipe, Speed
from adder_trainer.unchanged import unchanged_table

ANSWERS = {
    Approach.CLASSIFY: "the digit and the sum, each as one of its classes",
    Approach.REGRESS: "the digit as one of ten classes and the sum as one value, which is rounded",
}

OPTIONS = {"epochs": "--epochs", "batch_size": "--batch-size", "learning_rate": "--lr", "photo_share": "--photo-share"}
"""Settings that the command line can change, and how."""

SPEEDS = {"autocast": "--autocast", "channels_last": "--no-channels-last", "compiled": "--compile"}
"""What turns each field of `Speed` from its default."""


def command(facts: dict[str, Any]) -> str:
    """The command that trains the run again, with what differs from the recipe and the defaults."""
    usual = RECIPES[RecipeName(facts["recipe"]), Approach(facts["approach"])]
    words = ["adder-train", f"--approach {facts['approach']}", f"--recipe {facts['recipe']}", f"--seed {facts['seed']}"]
    settings, speed = facts["settings"], facts["speed"]
    kept = {name: settings[name] for name in OPTIONS if name in settings}
    words += [f"{OPTIONS[name]} {value}" for name, value in kept.items() if value != getattr(usual, name)]
    words += [SPEEDS[name] for name, default in asdict(Speed()).items() if speed[name] != default]
    return " ".join([*words, "--test"] if "test" in facts else words)


def in_words(value: Any) -> str:
    """A setting as the page shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items()) or "as the network has them"
    return f"{value}"


def page(facts: dict[str, Any], evaluation: Evaluation, beside: Set[str]) -> str:
    """The page that joins the report, in Markdown.

    Args:
        facts: of the checkpoint.
        evaluation: of the validation split.
        beside: names of the files that lie beside the page; to those that other commands wrote it leads if they do.
    """
    rows = "\n".join(
        f"| {split} | {figures['images']:,} | {figures['pairs']:,} | {figures['loss']:.4f} | "
        f"{figures['digit_accuracy']:.2%} | {figures['sum_accuracy']:.2%} |"
        for split in ("validation", "test")
        if (figures := facts.get(split))
    )
    parts = [
        f"""# {facts["approach"]}, recipe {facts["recipe"]}

A network that is shown a handwritten digit, is given a number from 0 to 9, and answers
{ANSWERS[Approach(facts["approach"])]}.
{facts["parameters"]:,} parameters, {facts["epochs"]} epochs in {facts["seconds"]:,.0f} seconds on {facts["device"]}
({facts["cores"]} cores, torch {facts["versions"]["torch"]}), one run with seed {facts["seed"]},
code {facts["revision"]}.

| split | images | pairs | loss | digit right | sum right |
| --- | --- | --- | --- | --- | --- |
{rows}

Each image is asked with all ten numbers: ten pairs. Choices are made on the validation split, and all that follows is
of it unless it says otherwise. Made by

    {command(facts)}""",
        CURVES if beside >= {"history.csv", "curves.png"} else "",
        _mistakes(evaluation),
        _confidence(facts, evaluation, beside),
        STACKING if beside >= {"stacking.png", "stacking.json"} else "",
        _pictures(facts),
        _settings(facts),
        "Everything that was measured, as data: [facts.json](facts.json).",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


CURVES = """## Training

![loss and errors by epoch](curves.png)

Training is measured while the weights move and on pictures as they are trained on, augmented where the recipe says so;
validation on plain ones with the weights that are kept. So training may look the worse of the two. All epochs:
[history.csv](history.csv)."""


def _mistakes(evaluation: Evaluation) -> str:
    wrong = int((evaluation.wrong_numbers > 0).sum())
    return f"""## Mistakes

![confusion of digits](confusion_digits.png)

![confusion of sums](confusion_sums.png)

{wrong:,} of {evaluation.images:,} pictures have a wrong sum with at least one number. The worst, as the network sees
them; above each the true digit and the one that was read, then the wrong sum it is surest of:

![the worst mistakes](mistakes.png)"""


STACKING = """## Stacking

The same digit network with seven ways to stack its output with the number, each with sum layers of its own, which were
fitted three times; made by `adder-train --explain-stacking`, figures in [stacking.json](stacking.json):

![sum error by what is stacked](stacking.png)"""


RELIABILITY_OF_TEST = """

The same of the test images:

![how often answers of a confidence are right, test](reliability_test.png)"""


def _confidence(facts: dict[str, Any], evaluation: Evaluation, beside: Set[str]) -> str:
    of_test = RELIABILITY_OF_TEST if "reliability_test.png" in beside else ""
    return f"""## Confidence

The confidence is the probability that the sum is right; the expected calibration error is how far it is from that, over
15 bins of it. The last column leaves out the least sure hundredth of the answers:

{calibration_table(facts)}

![how often answers of a confidence are right](reliability.png){of_test}

{risk_table(evaluation)}

![how often the surest answers are wrong](risk_coverage.png)

Digit and sum are answered apart; `consistent` says that the sum is the digit plus the number. Where it is not, the sum
is wrong so many times as often:

{consistent_table(facts)}"""


def _pictures(facts: dict[str, Any]) -> str:
    return f"""## Pictures that people take

MNIST's digits, drawn with other pens, photographed, scanned and cut out by a program, then sent as raw pixels through
all that ships. Every kind shows the same digits; nothing read counts as wrong. Of its ink alone: the same strokes, of
as many pixels, white on black, without paper, light and all else. What is wrong there too is the digit's form, bent or
written with too thick a pen, or that it has so few pixels; the rest is what else is in the picture:

{rendered_table(facts)}

Above each picture the true digit and the one that was read, below it what the network saw:

![rendered pictures](rendered.png)

## MNIST through the normaliser

MNIST's images have the form that the normaliser passes as it is; with a pixel of black more on each side they have not,
and it looks for the digit, sizes and centres it. How far the ink of a pixel then is from what it was, on average and of
a full stroke's 1, and what is read of it:

{unchanged_table(facts)}

## Pictures of no digit

Paper with light, grain, lines and specks; noise; black; printed letters, without those that look like a digit;
scribbles; two digits side by side. AUROC is the probability that the answer to one of MNIST's digits is surer than one
to such a picture, where 0.5 is chance; nothing read has a confidence of 0. Of MNIST's own digits fewer than 0.1 % were
to be taken for nothing:

{unknown_table(facts)}

Above each picture the digit that was read, and the confidence when asked to add 0:

![pictures of no digit](unknown.png)

## What training does to the pictures

Each part of the augmentation on its own, by the function that does it. Of the settings below, *augment* turns on warp
and thicken, and *photo share* is the share of pictures that are drawn and photographed, by the other parts; what is
marked *finder* is drawn only to teach the finder, the network in the normaliser:

![augmentations](augmentations.png)"""


def _settings(facts: dict[str, Any]) -> str:
    # a checkpoint of before knows nothing of a later setting
    names = [field.name for field in fields(Recipe) if field.name in facts["settings"]]
    settings = "\n".join(f"| {name.replace('_', ' ')} | {in_words(facts['settings'][name])} |" for name in names)
    return f"""## Settings

| setting | value |
| --- | --- |
{settings}
| temperature of the confidence | {facts["temperature"]:.3f} |"""
