"""Mounted at `/api/v1/`; the staff's part stands below `admin/` there (D1)."""

from django.urls import URLPattern, URLResolver, include, path

from accounts import views

client_urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/user-exist", views.UserExistView.as_view(), name="user-exist"),
    path("auth/send-otp", views.SendOtpView.as_view(), name="send-otp"),
    path("auth/verify-otp", views.VerifyOtpView.as_view(), name="verify-otp"),
    path("auth/sign-up", views.SignUpView.as_view(), name="sign-up"),
    path("auth/sign-in", views.SignInView.as_view(), name="sign-in"),
    path("auth/refresh-token", views.RefreshView.as_view(), name="refresh-token"),
    path("auth/sign-out", views.SignOutView.as_view(), name="sign-out"),
    path("auth/forgot-password", views.ForgotPasswordView.as_view(), name="forgot-password"),
    path("auth/reset-password", views.ResetPasswordView.as_view(), name="reset-password"),
    path("user/profile", views.ProfileView.as_view(), name="profile"),
]
admin_urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/login", views.StaffSignInView.as_view(), name="admin-login"),
    path("auth/refresh-token", views.StaffRefreshView.as_view(), name="admin-refresh-token"),
    path("auth/sign-out", views.StaffSignOutView.as_view(), name="admin-sign-out"),
]
urlpatterns = [*client_urlpatterns, path("admin/", include(admin_urlpatterns))]
