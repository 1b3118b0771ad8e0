"""People and their roles, in the look of the theme."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from vantum.admin_bases import ModelAdmin

if TYPE_CHECKING:
    _PeopleBase = UserAdmin[User]
    _RoleBase = GroupAdmin
else:

    class _PeopleBase(UserAdmin, ModelAdmin):
        """Django's pages of users in the theme's look."""

    class _RoleBase(GroupAdmin, ModelAdmin):
        """Django's pages of groups in the theme's look."""


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class PeopleAdmin(_PeopleBase):
    """Who may log in, and in which role."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")


@admin.register(Group)
class RoleAdmin(_RoleBase):
    """What each role may do."""
