{{/* Names, labels and the texts that more than one template needs. */}}

{{- define "release-server.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The objects' name: the release's, with the chart's where that is not part of it. Cut so that suffixes fit. */}}
{{- define "release-server.fullname" -}}
{{- $name := include "release-server.name" . -}}
{{- $made := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $made | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Where no namespace is given, Helm says "default". */}}
{{- define "release-server.namespace" -}}
{{- $release := eq .Release.Namespace "default" | ternary "spec-kit" .Release.Namespace -}}
{{- .Values.namespaceOverride | default $release -}}
{{- end -}}

{{- define "release-server.selectorLabels" -}}
app.kubernetes.io/name: {{ include "release-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{/* The labels of the pod of `helm test`: not those by which Service and budget find the server's pods. */}}
{{- define "release-server.testLabels" -}}
app.kubernetes.io/name: {{ include "release-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end -}}

{{/* The metadata of an object. Takes a list: the root, the object's name, its own labels, its own annotations. */}}
{{- define "release-server.metadata" -}}
{{- $root := index . 0 -}}
{{- $labels := merge (dict)
      (index . 2)
      (include "release-server.selectorLabels" $root | fromYaml)
      (dict
        "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63)
        "app.kubernetes.io/version" ($root.Chart.AppVersion | replace "+" "_" | trunc 63)
        "app.kubernetes.io/managed-by" $root.Release.Service)
      $root.Values.commonLabels -}}
name: {{ index . 1 }}
namespace: {{ include "release-server.namespace" $root }}
labels:
  {{- toYaml $labels | nindent 2 }}
{{- with merge (dict) (index . 3) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "release-server.serviceAccountName" -}}
{{- $made := .Values.serviceAccount.create | ternary (include "release-server.fullname" .) "default" -}}
{{- .Values.serviceAccount.name | default $made -}}
{{- end -}}

{{- define "release-server.secretName" -}}
{{- .Values.auth.existingSecret | default (include "release-server.fullname" .) -}}
{{- end -}}

{{- define "release-server.claimName" -}}
{{- .Values.persistence.existingClaim | default (include "release-server.fullname" .) -}}
{{- end -}}

{{- define "release-server.image" -}}
{{- $image := .Values.image -}}
{{- $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* Where the token is mounted. A directory, not a single file: only such a mount follows a changed Secret. */}}
{{- define "release-server.tokenDirectory" -}}
/run/secrets/release-server
{{- end -}}

{{/* config.yaml. As JSON, because Helm holds numbers as floating ones, and other ways print large ones as 1e+06. */}}
{{- define "release-server.config" -}}
auth_token_file: {{ include "release-server.tokenDirectory" . }}/token
{{- range $key, $value := .Values.config }}
{{ $key }}: {{ toRawJson $value }}
{{- end }}
{{- end -}}

{{/* A duration as the server takes it, in seconds. */}}
{{- define "release-server.seconds" -}}
{{- $text := toString . -}}
{{- mul (regexFind "^[0-9]+" $text | int64) (hasSuffix "m" $text | ternary 60 1) -}}
{{- end -}}

{{/* Whether pods may stand beside each other while one replaces the other. */}}
{{- define "release-server.strategy" -}}
{{- $shared := or (not .Values.persistence.enabled) (eq .Values.persistence.accessMode "ReadWriteMany") -}}
{{- $shared | ternary "RollingUpdate" "Recreate" -}}
{{- end -}}

