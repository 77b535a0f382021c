{{- /*
In your own chart, with `driftgauge-sidecar` among its dependencies:

  metadata:
    labels:
      {{- include "driftgauge.sidecar.labels" . | nindent 8 }}
  spec:
    initContainers:
      {{- include "driftgauge.sidecar.initContainers" . | nindent 8 }}
    containers:
      - name: model
      {{- include "driftgauge.sidecar.containers" . | nindent 8 }}
    volumes:
      {{- include "driftgauge.sidecar.volumes" . | nindent 8 }}

and a template that is one line: {{ include "driftgauge.sidecar.configMap" . }}
With a tokenSecret another one: {{ include "driftgauge.sidecar.service" . }}
*/}}

{{- define "driftgauge.sidecar.values" -}}
{{- toJson (index .Values "driftgauge-sidecar") }}
{{- end }}

{{- /* "true" where it is an init container that restarts. */}}
{{- define "driftgauge.sidecar.native" -}}
{{- $given := (include "driftgauge.sidecar.values" . | fromJson).native }}
{{- if eq $given "always" }}true
{{- else if and (eq $given "auto") (semverCompare ">=1.29.0-0" .Capabilities.KubeVersion.Version) }}true
{{- end }}
{{- end }}

{{- define "driftgauge.sidecar.configMapName" -}}
{{- printf "%s-driftgauge" (.Release.Name | trunc 50 | trimSuffix "-") }}
{{- end }}

{{- /* The label by which a PodMonitor finds the pod, and that of the service of its door for outcomes. */}}
{{- define "driftgauge.sidecar.labels" -}}
driftgauge.io/sidecar: "true"
{{- if (include "driftgauge.sidecar.values" . | fromJson).tokenSecret }}
driftgauge.io/outcomes: {{ include "driftgauge.sidecar.configMapName" . | quote }}
{{- end }}
{{- end }}

{{- /* Where outcomes from outside the pods go: a headless service, so that a sender can reach every pod. */}}
{{- define "driftgauge.sidecar.service" -}}
{{- if (include "driftgauge.sidecar.values" . | fromJson).tokenSecret }}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "driftgauge.sidecar.configMapName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    app.kubernetes.io/name: driftgauge
spec:
  clusterIP: None
  # An outcome is taken whether the model is ready or not.
  publishNotReadyAddresses: true
  selector:
    driftgauge.io/outcomes: {{ include "driftgauge.sidecar.configMapName" . | quote }}
  ports:
    - name: outcomes
      port: 9879
      targetPort: 9879
{{- end }}
{{- end }}

{{- /* Annotations that make a changed configuration a new pod. */}}
{{- define "driftgauge.sidecar.annotations" -}}
driftgauge.io/config-checksum: {{ include "driftgauge.sidecar.config" . | sha256sum }}
{{- end }}

{{- define "driftgauge.sidecar.config" -}}
{{- $values := include "driftgauge.sidecar.values" . | fromJson }}
{{- $config := $values.config }}
{{- if $values.tokenSecret }}
{{- $door := dict "listen" "0.0.0.0:9879" "token_file" "/etc/driftgauge-token/token" }}
{{- $config = mergeOverwrite (deepCopy $config) (dict "outside" $door) }}
{{- end }}
{{- if $config }}
{{- toYaml $config }}
{{- end }}
{{- end }}

{{- define "driftgauge.sidecar.configMap" -}}
{{- with include "driftgauge.sidecar.config" . }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "driftgauge.sidecar.configMapName" $ }}
  namespace: {{ $.Release.Namespace }}
  labels:
    app.kubernetes.io/name: driftgauge
data:
  driftgauge.yaml: |
    {{- . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "driftgauge.sidecar.initContainers" -}}
{{- if include "driftgauge.sidecar.native" . }}
{{- include "driftgauge.sidecar.container" . }}
{{- end }}
{{- end }}

{{- define "driftgauge.sidecar.containers" -}}
{{- if not (include "driftgauge.sidecar.native" .) }}
{{- include "driftgauge.sidecar.container" . }}
{{- end }}
{{- end }}

{{- define "driftgauge.sidecar.container" -}}
{{- $values := include "driftgauge.sidecar.values" . | fromJson }}
{{- $config := include "driftgauge.sidecar.config" . }}
- name: driftgauge
  {{- if $values.image.digest }}
  image: {{ printf "%s@%s" $values.image.repository $values.image.digest | quote }}
  {{- else }}
  image: {{ printf "%s:%s" $values.image.repository (default "0.1.0" $values.image.tag) | quote }}
  {{- end }}
  {{- if include "driftgauge.sidecar.native" . }}
  restartPolicy: Always
  {{- end }}
  args:
    - serve
    {{- if $config }}
    - --config=/etc/driftgauge/driftgauge.yaml
    {{- end }}
    - --data=/data
    - --listen=127.0.0.1:9877
    - --metrics-listen=0.0.0.0:9878
  ports:
    - name: driftgauge
      containerPort: 9878
    {{- if $values.tokenSecret }}
    - name: outcomes
      containerPort: 9879
    {{- end }}
  {{- if or $values.modelVersionLabel (not $values.volume.claim) }}
  env:
    {{- with $values.modelVersionLabel }}
    - name: DRIFTGAUGE_MODEL_VERSION
      valueFrom:
        fieldRef:
          fieldPath: {{ printf "metadata.labels['%s']" . | quote }}
    {{- end }}
    {{- if not $values.volume.claim }}
    # The file system of an emptyDir is the node's: past its limit the pod would be evicted, model and all.
    - name: DRIFTGAUGE_VOLUME_SIZE
      value: {{ $values.volume.size | quote }}
    {{- end }}
  {{- end }}
  resources:
    {{- toYaml $values.resources | nindent 4 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop:
        - ALL
    seccompProfile:
      type: RuntimeDefault
  volumeMounts:
    - name: driftgauge-data
      mountPath: /data
    - name: driftgauge-tmp
      mountPath: /tmp
    {{- if $config }}
    - name: driftgauge-config
      mountPath: /etc/driftgauge
      readOnly: true
    {{- end }}
    {{- if $values.tokenSecret }}
    - name: driftgauge-token
      mountPath: /etc/driftgauge-token
      readOnly: true
    {{- end }}
    {{- range $values.references }}
    - name: driftgauge-{{ . }}
      mountPath: /etc/driftgauge-references/{{ . }}
      readOnly: true
    {{- end }}
{{- end }}

{{- define "driftgauge.sidecar.volumes" -}}
{{- $values := include "driftgauge.sidecar.values" . | fromJson }}
- name: driftgauge-data
  {{- if $values.volume.claim }}
  persistentVolumeClaim:
    claimName: {{ $values.volume.claim | quote }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ $values.volume.size | quote }}
  {{- end }}
- name: driftgauge-tmp
  emptyDir:
    sizeLimit: 64Mi
{{- if include "driftgauge.sidecar.config" . }}
- name: driftgauge-config
  configMap:
    name: {{ include "driftgauge.sidecar.configMapName" . }}
{{- end }}
{{- if $values.tokenSecret }}
- name: driftgauge-token
  secret:
    secretName: {{ $values.tokenSecret | quote }}
{{- end }}
{{- range $values.references }}
- name: driftgauge-{{ . }}
  configMap:
    name: {{ . | quote }}
{{- end }}
{{- end }}
