// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/profile_contradiction.hpp"

#include "model/enum_words.hpp"
#include "routing/rules/assignment.hpp"
#include "routing/rules/intake/field_text.hpp"

namespace syncline::service {
namespace {

using model::AuthenticationProtocol;
using rules::Field;

/// The profile's stated protocols and methods with the rules' defaults.
rules::FieldValues legs_of(const model::Profile& profile) {
  rules::FieldValues row;
  const auto set = [&](Field field, std::string_view word) {
    (void)rules::set_from_text(row, field, std::string(word));
  };
  set(Field::prof_type, model::word_of(profile.type));
  if (profile.incoming.protocol) set(Field::prof_in_protocol, model::word_of(*profile.incoming.protocol));
  if (profile.outgoing.protocol) set(Field::prof_out_protocol, model::word_of(*profile.outgoing.protocol));
  if (profile.incoming.method) set(Field::prof_auth_in, model::word_of(*profile.incoming.method));
  if (profile.outgoing.method) set(Field::prof_auth_out, model::word_of(*profile.outgoing.method));
  // None of these defaults depends on the day.
  return rules::with_defaults(row, rules::Day{0}).values;
}

}  // namespace

std::optional<ProfileContradiction> contradiction_in(const model::Profile& profile) {
  const model::ProfileLeg& in = profile.incoming;
  const model::ProfileLeg& out = profile.outgoing;
  const rules::FieldValues legs = legs_of(profile);
  const bool method_differs = legs.word(Field::prof_auth_in) != legs.word(Field::prof_auth_out);
  const bool protocol_differs =
      out.authentication_protocol &&
      *out.authentication_protocol != in.authentication_protocol.value_or(AuthenticationProtocol::automatic);
  const bool user_differs = out.user_name && out.user_name != in.user_name;
  if (profile.same_settings_for_outgoing.value_or(false) &&
      (method_differs || protocol_differs || user_differs))
    return ProfileContradiction{
        "same_settings_for_outgoing",
        "is true, but auth_out, out_auth_protocol or out_user_name differ from the incoming ones"};
  if (!legs.is(Field::prof_in_protocol, rules::Word::ews) ||
      !legs.is(Field::prof_out_protocol, rules::Word::ews))
    return std::nullopt;
  const auto once = [](std::string_view key, std::string_view what) {
    return ProfileContradiction{
        key, std::string(what) + ": Exchange is signed in to once, for both directions, as incoming says"};
  };
  if (!profile.same_settings_for_outgoing.value_or(true))
    return once("same_settings_for_outgoing", "is false");
  if (method_differs) return once("auth_out", "differs from auth_in");
  if (protocol_differs) return once("out_auth_protocol", "differs from in_auth_protocol");
  if (user_differs) return once("out_user_name", "differs from user_name");
  return std::nullopt;
}

}  // namespace syncline::service
