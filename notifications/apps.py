from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from anymail.signals import tracking
        from django.core.checks import Tags, register

        from notifications.checks import mail_provider
        from notifications.webhooks import note_event

        tracking.connect(note_event, dispatch_uid="notifications.note_event")
        register(mail_provider, Tags.security, deploy=True)
