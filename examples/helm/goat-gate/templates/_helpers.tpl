{{- define "goat-gate.name" -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "goat-gate.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "goat-gate.labels" -}}
{{ include "goat-gate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "goat-gate.account" -}}
{{- .Values.serviceAccount.name | default (ternary (include "goat-gate.name" .) "default" .Values.serviceAccount.create) -}}
{{- end }}
