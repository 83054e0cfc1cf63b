{{/* The name that every object begins with: the release's, with the chart's where it lacks it. */}}
{{- define "analyticbot.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* What a role's pods are found by. Takes a dict of `root` and `role`. */}}
{{- define "analyticbot.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* What is written on every object. Takes a dict of `root` and `role`. */}}
{{- define "analyticbot.labels" -}}
{{ include "analyticbot.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* Name and labels of an object of a role. */}}
{{- define "analyticbot.metadata" -}}
name: {{ include "analyticbot.name" .root }}-{{ .role }}
labels: {{- include "analyticbot.labels" . | nindent 2 }}
{{- end }}

{{/* The brokers of the log's URL, as KEDA wants them. */}}
{{- define "analyticbot.brokers" -}}
{{ .Values.log.url | trimPrefix "kafka://" | regexFind "[^@/?]+(/|\\?|$)" | trimAll "/?" }}
{{- end }}
