"""Helm's own engine, from a wheel. Values come as JSON from stdin; what is asked for is printed as JSON.

render CHART NAMESPACE          the text of each file that the templates make
lint CHART NAMESPACE            what is wrong with the chart
install | upgrade CHART NAMESPACE   brings the release "ordinal" to the cluster of KUBECONFIG, and waits for its hooks
"""
import json
import sys

import helm_python as helm

verb, path, namespace = sys.argv[1:]
values = json.load(sys.stdin)
if verb == "lint":
    findings = helm.lint(path, values, strict=True)["messages"]
    print(json.dumps([finding["error"] for finding in findings if finding["severity"] > 1]))
elif verb == "render":
    with helm.Chart.load(path) as chart:
        chart.validate_schema(values)
        print(json.dumps(chart.render(values, name="ordinal", namespace=namespace)))
else:
    with helm.Config(namespace=namespace) as config:
        act = config.install if verb == "install" else config.upgrade
        release = act(path, "ordinal", values, namespace=namespace, wait="hookOnly", timeout=180)
        print(json.dumps({"revision": release.get("version", release.get("revision"))}))
