// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/leg_credentials.hpp"

namespace syncline::service {

using model::AuthenticationProtocol;

AuthenticationProtocol authentication_protocol(const model::Profile& profile, Direction direction) {
  const auto incoming = profile.incoming.authentication_protocol.value_or(AuthenticationProtocol::automatic);
  if (direction == Direction::incoming || profile.outgoing_as_incoming()) return incoming;
  const model::ProfileLeg& own = profile.outgoing;
  if (own.authentication_protocol) return *own.authentication_protocol;
  const bool same_method = !own.method || own.method == profile.incoming.method;
  return same_method ? incoming : AuthenticationProtocol::automatic;
}

std::vector<std::string> mechanisms_of(AuthenticationProtocol protocol) {
  switch (protocol) {
    case AuthenticationProtocol::automatic:
      break;
    case AuthenticationProtocol::negotiate:
      return {"GSSAPI"};
    case AuthenticationProtocol::ntlm:
      return {"NTLM"};
    case AuthenticationProtocol::basic:
      return {"PLAIN", "LOGIN"};
    case AuthenticationProtocol::oauth:
      return {"OAUTHBEARER", "XOAUTH2"};
  }
  return {};
}

std::vector<std::string> password_kinds(const model::Profile& profile, Direction direction) {
  if (direction == Direction::incoming || profile.same_settings_for_outgoing.value_or(false))
    return {"password"};
  return {"out-password", "password"};
}

}  // namespace syncline::service
