// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/assignment.hpp"

#include <initializer_list>

#include "base/text.hpp"

namespace syncline::rules {
namespace {

using enum Word;

class Row {
 public:
  explicit Row(const FieldValues& values) : values_(values) {}

  bool is(Field field, Word word) const noexcept { return values_.is(field, word); }
  bool is_any(Field field, std::initializer_list<Word> words) const noexcept {
    for (const Word word : words) {
      if (is(field, word)) return true;
    }
    return false;
  }
  bool exchange_type() const noexcept {
    return is_any(Field::prof_type,
                  {exchange_online, exchange_online_hybrid, exchange_hybrid, exchange_server});
  }
  bool server_type() const noexcept { return is_any(Field::prof_type, {exchange_hybrid, exchange_server}); }
  bool a_leg_authenticates_by(std::initializer_list<Word> methods) const noexcept {
    return is_any(Field::prof_auth_in, methods) || is_any(Field::prof_auth_out, methods);
  }

  Word protocol(bool incoming) const noexcept {
    if (exchange_type()) return ews;
    if (is(Field::prof_type, pop3_smtp)) return incoming ? pop3 : smtp;
    if (is(Field::prof_type, imap_smtp)) return incoming ? imap : smtp;
    if (is(Field::prof_type, gmail)) return incoming ? (is(Field::env_cloud, usgov) ? pop3 : imap) : smtp;
    return none;
  }
  Word authentication() const noexcept {
    if (is_any(Field::prof_type, {exchange_online, exchange_online_hybrid})) return s2s;
    if (server_type()) return profile_credentials;
    if (is_any(Field::prof_type, {pop3_smtp, imap_smtp})) return mailbox_credentials;
    if (is(Field::prof_type, gmail)) return gmail_oauth;
    return none;
  }
  /// 0: the protocol has no port.
  std::int64_t port(Field protocol_field) const noexcept {
    if (is_any(protocol_field, {ews, graph})) return 443;
    if (is(protocol_field, pop3)) return 995;
    if (is(protocol_field, imap)) return 993;
    if (is(protocol_field, smtp)) return is(Field::env_cloud, usgov) ? 465 : 587;
    return 0;
  }
  Word tls(Field port_field) const noexcept {
    if (values_.is_empty(port_field)) return implicit;
    switch (values_.number(port_field)) {
      case 110:
      case 143:
      case 25:
      case 587:
        return starttls;
      default:
        return implicit;
    }
  }
  Word host() const {
    if (is_any(Field::prof_type, {exchange_online, exchange_online_hybrid})) return exchange_online;
    if (server_type()) return exchange_onprem;
    if (is(Field::prof_type, gmail)) return gmail;
    return host_from_address(values_.text(Field::mbx_address));
  }

 private:
  const FieldValues& values_;
};

std::int64_t count_characters(std::string_view text) noexcept {
  std::int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

/// Fields whose default is the same in every row.
bool set_constant_default(FieldValues& values, Field field) {
  switch (field) {
    case Field::stage:
      return values.set(field, assign);
    case Field::env_deployment:
      return values.set(field, online);
    case Field::env_cloud:
      return values.set(field, public_);
    case Field::env_form_scheme:
      return values.set(field, https);
    case Field::env_allow_insecure_creds:
      return values.set(field, zero);
    case Field::env_ews_tenant:
    case Field::mbx_primary_org:
      return values.set(field, unset);
    case Field::env_default_act:
    case Field::env_org_act_other:
    case Field::env_net_inspection:
    case Field::prof_type:
    case Field::mbx_dup:
      return values.set(field, none);
    case Field::env_fips:
    case Field::env_encryption_gateway:
    case Field::env_custom_provider:
    case Field::env_default_profile:
    case Field::prof_is_default:
    case Field::mbx_external_target:
    case Field::mbx_mfa:
    case Field::mbx_delete_after:
    case Field::req_override_primary:
    case Field::req_app_for_outlook:
    case Field::req_outlook_web:
    case Field::req_outlook_manual_tracking:
    case Field::req_track_sent:
    case Field::req_forward_exists:
      return values.set(field, no);
    case Field::env_require_user_approval:
    case Field::env_require_queue_approval:
    case Field::mbx_approved:
    case Field::mbx_license:
    case Field::mbx_owner_role:
      return values.set(field, yes);
    case Field::prof_state:
    case Field::mbx_state:
      return values.set(field, active);
    case Field::prof_username_format:
      return values.set(field, upn);
    case Field::prof_tls_version:
      return values.set(field, tls_1_2);
    case Field::mbx_kind:
      return values.set(field, user);
    case Field::mbx_recipient_type:
      return values.set(field, mailbox);
    case Field::req_mail_in:
    case Field::req_mail_out:
      return values.set(field, sss);
    case Field::req_purpose:
      return values.set(field, normal);
    case Field::req_privileges:
      return values.set(field, rw);
    case Field::prof_min_poll:
    case Field::req_folder_rules:
      values.set_number(field, 0);
      return true;
    case Field::prof_max_conn:
      values.set_number(field, 10);
      return true;
    case Field::prof_timeout_ms:
      values.set_number(field, 60000);
      return true;
    case Field::prof_mailbox_count:
      values.set_number(field, 1);
      return true;
    default:
      return false;
  }
}

}  // namespace

Word host_from_address(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos) return other;
  const std::string domain = text::to_lower_ascii(address.substr(at + 1));
  if (domain == "gmail.com" || domain == "googlemail.com") return gmail;
  if (domain.starts_with("yahoo.") || domain == "ymail.com") return yahoo;
  if (domain.starts_with("outlook.") || domain.starts_with("hotmail.")) return outlook_com;
  if (domain == "msn.com") return msn;
  if (domain.starts_with("live.")) return windows_live;
  return other;
}

bool set_to_default(FieldValues& values, Field field, Day today) {
  const Row row{values};
  switch (field) {
    case Field::env_as_of:
      values.set_number(field, today);
      return true;
    case Field::prof_name_len:
      values.set_number(
          field, values.is_empty(Field::prof_name) ? 1 : count_characters(values.text(Field::prof_name)));
      return true;
    case Field::prof_in_protocol:
      return values.set(field, row.protocol(true));
    case Field::prof_out_protocol:
      return values.set(field, row.protocol(false));
    case Field::prof_auth_in:
      return values.set(field, row.authentication());
    case Field::prof_auth_out:
      values.set_index(field, values.index(Field::prof_auth_in));
      return true;
    case Field::prof_username:
    case Field::prof_password:
      return values.set(field, row.a_leg_authenticates_by({profile_credentials}) ? yes : no);
    case Field::prof_impersonation:
      return values.set(field,
                        row.server_type() && row.is(Field::prof_auth_in, profile_credentials) ? yes : no);
    case Field::prof_autodiscover:
      return values.set(field, row.exchange_type() ? yes : no);
    case Field::prof_in_port:
    case Field::prof_out_port: {
      const bool incoming = field == Field::prof_in_port;
      const auto port = row.port(incoming ? Field::prof_in_protocol : Field::prof_out_protocol);
      if (port == 0) {
        values.clear(field);
        return false;
      }
      values.set_number(field, port);
      return true;
    }
    case Field::prof_in_tls:
      return values.set(field, row.tls(Field::prof_in_port));
    case Field::prof_out_tls:
      return values.set(field, row.tls(Field::prof_out_port));
    case Field::prof_oauth_data:
      return values.set(field, row.a_leg_authenticates_by({s2s, gmail_oauth, hma, oauth_cross_tenant})
                                   ? complete
                                   : na);
    case Field::prof_gmail_app_status:
      return values.set(field, row.a_leg_authenticates_by({gmail_oauth}) ? production : na);
    case Field::prof_iis_auth:
      return values.set(field, row.server_type() ? ntlm : na);
    case Field::mbx_host:
      return values.set(field, row.host());
    case Field::mbx_tenant:
      return values.set(
          field,
          row.is(Field::mbx_host, exchange_online) && row.is(Field::env_deployment, online) ? same : na);
    case Field::mbx_approver_role:
      return values.set(field, row.is(Field::mbx_host, exchange_online) ? global_admin : system_admin);
    case Field::mbx_creds:
      return values.set(field, row.a_leg_authenticates_by({mailbox_credentials}) ? yes : no);
    case Field::mbx_oauth_token:
      return values.set(field, row.a_leg_authenticates_by({gmail_oauth}) ? yes : na);
    case Field::mbx_server_fips:
      return values.set(field, row.is_any(Field::mbx_host, {gmail, yahoo}) ? yes : unknown);
    case Field::req_act:
      return values.set(field, row.exchange_type() && row.is(Field::mbx_kind, user) ? sss : none);
    default:
      if (set_constant_default(values, field)) return true;
      values.clear(field);
      return false;
  }
}

void fill_defaults(Assignment& assignment, const FieldValues& given, Day today) {
  assignment.values = given;
  assignment.defaulted = {};
  // The order of the enumeration is an order in which every default can be computed: type before protocols
  // before ports before TLS, authentication before what follows from it, kind and host before what they
  // decide.
  for (const Field field : all_fields()) {
    if (given.is_empty(field) && set_to_default(assignment.values, field, today)) {
      assignment.defaulted.insert(field);
    }
  }
}

Assignment with_defaults(const FieldValues& given, Day today) {
  Assignment assignment;
  fill_defaults(assignment, given, today);
  return assignment;
}

}  // namespace syncline::rules
