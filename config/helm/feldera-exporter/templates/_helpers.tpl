{{- define "feldera-exporter.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "feldera-exporter.selector" -}}
app.kubernetes.io/name: feldera-exporter
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "feldera-exporter.labels" -}}
{{ include "feldera-exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "feldera-exporter.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "feldera-exporter.fullname" .) -}}
{{- end -}}

{{- define "feldera-exporter.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{- /* Whether there is a key, and where. */ -}}
{{- define "feldera-exporter.apiKeySecret" -}}
{{- if .Values.apiKey.value -}}
{{- printf "%s-api-key" (include "feldera-exporter.fullname" .) -}}
{{- else -}}
{{- .Values.apiKey.existingSecret -}}
{{- end -}}
{{- end -}}

{{- /* The addresses that the exporter's own alerts link to, as flags; the defaults need none. */ -}}
{{- define "feldera-exporter.addresses" -}}
{{- with .Values.prometheusRule }}
{{- if ne .exporterUrl "http://localhost:10058" }}
- --web.external-url={{ .exporterUrl }}
{{- end }}
{{- if ne .dashboardUrl "http://localhost:3000" }}
- --dashboard-url={{ .dashboardUrl }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "feldera-exporter.configVolume" -}}
{{- if .Values.existingConfigSecret -}}
secret:
  secretName: {{ .Values.existingConfigSecret }}
{{- else if .Values.configInSecret -}}
secret:
  secretName: {{ include "feldera-exporter.fullname" . }}
{{- else -}}
configMap:
  name: {{ include "feldera-exporter.fullname" . }}
{{- end -}}
{{- end -}}

{{- define "feldera-exporter.apiKeyVolume" -}}
secret:
  secretName: {{ include "feldera-exporter.apiKeySecret" . }}
  defaultMode: 0440
  items:
    - key: api-key
      path: api-key
{{- end -}}

{{- define "feldera-exporter.podSecurityContext" -}}
runAsNonRoot: true
{{- if not .Values.openshift }}
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "feldera-exporter.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
