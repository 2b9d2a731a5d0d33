// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/impersonation.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace syncline::auth {

bool is_app_only(CredentialKind kind) noexcept {
  switch (kind) {
    case CredentialKind::s2s:
    case CredentialKind::oauth_cross_tenant:
    case CredentialKind::hma_application:
      return true;
    case CredentialKind::hma_delegated:
    case CredentialKind::service_account:
    case CredentialKind::own_password:
    case CredentialKind::own_token:
      return false;
  }
  return false;
}

MailboxIdentityHeaders mailbox_identity_headers(CredentialKind kind, bool profile_impersonation,
                                                std::string_view primary_address) {
  const bool speaks_for_others =
      is_app_only(kind) || (kind == CredentialKind::service_account && profile_impersonation);
  if (!speaks_for_others) return {};
  return {std::string(primary_address), std::string(primary_address)};
}

std::optional<bool> is_application_token(std::string_view access_token) {
  constexpr std::size_t max_token_octets = 64 * 1024;
  if (access_token.size() > max_token_octets) return std::nullopt;
  const auto parts = text::split(access_token, '.');
  if (parts.size() != 3) return std::nullopt;
  std::string padded(parts[1]);
  std::replace(padded.begin(), padded.end(), '-', '+');
  std::replace(padded.begin(), padded.end(), '_', '/');
  while (padded.size() % 4 != 0) padded += '=';
  const auto payload = base64_decode(padded);
  if (!payload) return std::nullopt;
  boost::json::error_code failure;
  const boost::json::value parsed = boost::json::parse(*payload, failure);
  if (failure || !parsed.is_object()) return std::nullopt;
  const boost::json::object& claims = parsed.get_object();
  if (const boost::json::value* type = claims.if_contains("idtyp"); type != nullptr && type->is_string()) {
    return type->get_string() == "app";
  }
  if (claims.contains("scp")) return false;
  if (claims.contains("roles")) return true;
  return std::nullopt;
}

}  // namespace syncline::auth
