// Reads a JSON list of the Prometheus operator's and cert-manager's resources on stdin; prints what is wrong with each, ends with 1.
import * as certificates from "@kubernetes-models/cert-manager/cert-manager.io/v1";
import * as monitoring from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import * as alpha from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1alpha1";
import { readFileSync } from "node:fs";

const kinds = {
  "cert-manager.io/v1": certificates.default ?? certificates,
  "monitoring.coreos.com/v1": monitoring.default ?? monitoring,
  "monitoring.coreos.com/v1alpha1": alpha.default ?? alpha,
};
let failed = false;
for (const resource of JSON.parse(readFileSync(0, "utf8"))) {
  const Kind = kinds[resource.apiVersion]?.[resource.kind];
  const name = `${resource.kind} ${resource.metadata?.name}`;
  try {
    if (!Kind) throw new Error(`unknown: ${resource.apiVersion}`);
    new Kind(resource).validate();
    console.log(`${name}: valid`);
  } catch (error) {
    failed = true;
    console.log(`${name}: ${error.message}`);
  }
}
process.exit(failed ? 1 : 0);
