// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/oauth_endpoints.hpp"

#include <fmt/format.h>

namespace syncline::service {
namespace {

struct Addresses {
  std::string token = {};
  std::string authorisation = {};
  std::string device = {};
  std::string revocation = {};
  std::string scope = {};
};

unexpected<Error> bad_settings(const model::Profile& profile, std::string_view what) {
  return fail(ErrorDomain::input, "bad-settings", fmt::format("The profile {} {}", profile.name, what));
}

bool is_google(const model::Profile& profile) {
  return profile.type == model::ServerType::gmail ||
         profile.incoming.method == model::AuthenticationMethod::gmail_oauth ||
         profile.outgoing.method == model::AuthenticationMethod::gmail_oauth;
}

bool is_exchange(const model::Profile& profile) {
  return profile.type != model::ServerType::gmail && profile.type != model::ServerType::imap_smtp &&
         profile.type != model::ServerType::pop3_smtp;
}

Addresses google_addresses() {
  return {.token = "https://oauth2.googleapis.com/token",
          .authorisation = "https://accounts.google.com/o/oauth2/v2/auth",
          .device = "",  // Google gives no mail scopes to devices
          .revocation = "https://oauth2.googleapis.com/revoke",
          .scope = "https://mail.google.com/"};
}

Addresses microsoft_addresses(const model::Profile& profile) {
  const std::string base = "https://login.microsoftonline.com/" +
                           profile.oauth.tenant_id.value_or("organizations") + "/oauth2/v2.0/";
  return {.token = base + "token",
          .authorisation = base + "authorize",
          .device = base + "devicecode",
          .revocation = "",  // there is none; an administrator revokes sessions
          .scope = is_exchange(profile) ? "https://outlook.office365.com/EWS.AccessAsUser.All offline_access"
                                        : "https://outlook.office.com/IMAP.AccessAsUser.All "
                                          "https://outlook.office.com/POP.AccessAsUser.All "
                                          "https://outlook.office.com/SMTP.Send offline_access"};
}

Result<std::optional<net::Url>> read_url(const model::Profile& profile,
                                         const std::optional<std::string>& stated, const std::string& known,
                                         std::string_view name) {
  const std::string& text = stated ? *stated : known;
  if (text.empty()) return std::optional<net::Url>();
  auto url = net::parse_url(text);
  if (!url) return bad_settings(profile, fmt::format("has a {} that is no address", name));
  return std::optional<net::Url>(std::move(*url));
}

}  // namespace

Result<OAuthEndpoints> oauth_endpoints(const model::Profile& profile) {
  if (!profile.oauth.client_id) return bad_settings(profile, "has no client_id");
  const bool microsoft = !is_google(profile) && (profile.oauth.tenant_id || is_exchange(profile));
  Addresses known;
  OAuthEndpoints found;
  if (is_google(profile)) {
    known = google_addresses();
    found.token.provider = auth::OAuthProvider::google;
    // Only the first consent gives a refresh token unless it is asked for again.
    found.authorisation_extra = {{"access_type", "offline"}, {"prompt", "consent"}};
  } else if (microsoft) {
    known = microsoft_addresses(profile);
    found.token.provider = auth::OAuthProvider::microsoft;
    // Entra's portal registers http://localhost for any port, the address only by editing the manifest.
    found.redirect_host = "localhost";
  }
  // Whoever states another token endpoint does not mean the provider's own address for the other steps.
  if (profile.oauth.token_endpoint) known = {.scope = known.scope};
  auto token = read_url(profile, profile.oauth.token_endpoint, known.token, "token_endpoint");
  if (!token) return fail(std::move(token).error());
  if (!*token) return bad_settings(profile, "has no token_endpoint");
  auto authorisation =
      read_url(profile, profile.oauth.authorization_endpoint, known.authorisation, "authorization_endpoint");
  if (!authorisation) return fail(std::move(authorisation).error());
  auto device = read_url(profile, profile.oauth.device_endpoint, known.device, "device_endpoint");
  if (!device) return fail(std::move(device).error());
  auto revocation =
      read_url(profile, profile.oauth.revocation_endpoint, known.revocation, "revocation_endpoint");
  if (!revocation) return fail(std::move(revocation).error());
  found.token.url = std::move(**token);
  found.token.client_id = *profile.oauth.client_id;
  found.token.scope = profile.oauth.scope.value_or(known.scope);
  found.authorisation = std::move(*authorisation);
  found.device = std::move(*device);
  found.revocation = std::move(*revocation);
  return found;
}

}  // namespace syncline::service
