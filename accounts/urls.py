"""Mounted at `/api/v1/`; the staff's part stands below `admin/` there (D1)."""

from django.urls import URLPattern, URLResolver, include, path

from accounts.views import profile, registration, sessions

client_urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/user-exist", registration.UserExistView.as_view(), name="user-exist"),
    path("auth/send-otp", registration.SendOtpView.as_view(), name="send-otp"),
    path("auth/verify-otp", registration.VerifyOtpView.as_view(), name="verify-otp"),
    path("auth/sign-up", registration.SignUpView.as_view(), name="sign-up"),
    path("auth/sign-in", sessions.SignInView.as_view(), name="sign-in"),
    path("auth/refresh-token", sessions.RefreshView.as_view(), name="refresh-token"),
    path("auth/sign-out", sessions.SignOutView.as_view(), name="sign-out"),
    path("auth/forgot-password", registration.ForgotPasswordView.as_view(), name="forgot-password"),
    path("auth/reset-password", registration.ResetPasswordView.as_view(), name="reset-password"),
    path("user/profile", profile.ProfileView.as_view(), name="profile"),
]
admin_urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/login", sessions.StaffSignInView.as_view(), name="admin-login"),
    path("auth/refresh-token", sessions.StaffRefreshView.as_view(), name="admin-refresh-token"),
    path("auth/sign-out", sessions.StaffSignOutView.as_view(), name="admin-sign-out"),
]
urlpatterns = [*client_urlpatterns, path("admin/", include(admin_urlpatterns))]
