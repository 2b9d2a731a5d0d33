// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/assignments.hpp"

#include <chrono>

#include "routing/rules/intake/field_text.hpp"

namespace syncline::service {
namespace {

using rules::Field;
using rules::FieldValues;
using rules::Word;

Word yes_no(bool value) noexcept {
  return value ? Word::yes : Word::no;
}

void set(FieldValues& row, Field field, const std::optional<bool>& value) {
  if (value) row.set(field, yes_no(*value));
}
void set(FieldValues& row, Field field, const std::optional<int>& value) {
  if (value) row.set_number(field, *value);
}
void set(FieldValues& row, Field field, const std::optional<std::string>& value) {
  if (value) row.set_text(field, *value);
}
/// The model's words are the rules'.
template <model::Worded E>
void set(FieldValues& row, Field field, const std::optional<E>& value) {
  if (value) (void)rules::set_from_text(row, field, model::word_of(*value));
}
void set_day(FieldValues& row, Field field, SystemTime time) {
  row.set_number(field, std::chrono::floor<std::chrono::days>(time).time_since_epoch().count());
}

bool uses(const FieldValues& row, Word method) noexcept {
  return row.is(Field::prof_auth_in, method) || row.is(Field::prof_auth_out, method);
}

}  // namespace

bool has_oauth_ids(const model::Profile& profile) noexcept {
  return profile.oauth.client_id && (profile.type == model::ServerType::gmail || profile.oauth.tenant_id ||
                                     profile.oauth.token_endpoint);
}

Assignments::Assignments(const Configuration& configuration, const StoredOrganisation& stored,
                         rules::Day today)
    : configuration_(configuration), stored_(stored), today_(today) {
  for (const model::Mailbox& mailbox : configuration_.mailboxes)
    forward_exists_ = forward_exists_ || mailbox.kind == model::MailboxKind::forward;
  for (const model::Mailbox& mailbox : configuration_.mailboxes)
    proposal_.add(rules::with_defaults(row_of(mailbox, Word::assign), today_));
  proposal_.close();
}

Judged Assignments::judge(const model::Mailbox& mailbox, Word stage) const {
  FieldValues row = row_of(mailbox, stage);
  (void)rules::fill_from(proposal_, row, today_);  // what is stated decides
  Judged judged{mailbox.address, {}, {}, std::nullopt};
  rules::fill_defaults(judged.assignment, row, today_);
  judged.checked = rules::judge_into(judged.judgement, judged.assignment);
  return judged;
}

std::vector<Judged> Assignments::judge_all() const {
  std::vector<Judged> all;
  all.reserve(configuration_.mailboxes.size());
  for (const model::Mailbox& mailbox : configuration_.mailboxes) {
    const MailboxStanding* standing = standing_of(mailbox.address);
    all.push_back(judge(mailbox, standing != nullptr && standing->enabled ? Word::enable : Word::assign));
  }
  return all;
}

const MailboxStanding* Assignments::standing_of(const std::string& address) const {
  const auto found = stored_.mailboxes.find(address);
  return found == stored_.mailboxes.end() ? nullptr : &found->second;
}

FieldValues Assignments::row_of(const model::Mailbox& mailbox, Word stage) const {
  FieldValues row;
  row.set(Field::stage, stage);
  copy_facts(configuration_.organisation.environment, row);
  if (row.is_empty(Field::env_default_profile))
    row.set(Field::env_default_profile, yes_no(configuration_.default_profile() != nullptr));
  row.set(Field::req_forward_exists, yes_no(forward_exists_));
  const model::Profile* profile = configuration_.profile_of(mailbox);
  if (profile != nullptr) set_profile(row, *profile, stage);
  set_mailbox(row, mailbox, stage);
  return row;
}

void Assignments::set_profile(FieldValues& row, const model::Profile& profile, Word stage) const {
  copy_facts(profile.facts, row);
  set(row, Field::prof_type, std::optional(profile.type));
  row.set_text(Field::prof_name, profile.name);
  set(row, Field::prof_is_default, profile.is_default);
  set(row, Field::prof_in_protocol, profile.incoming.protocol);
  set(row, Field::prof_out_protocol, profile.outgoing.protocol);
  set(row, Field::prof_auth_in, profile.incoming.method);
  if (!profile.outgoing_as_incoming()) set(row, Field::prof_auth_out, profile.outgoing.method);
  set(row, Field::prof_in_host, profile.incoming.location);
  set(row, Field::prof_out_host, profile.outgoing.location);
  set(row, Field::prof_in_port, profile.incoming.port);
  set(row, Field::prof_out_port, profile.outgoing.port);
  set(row, Field::prof_in_tls, profile.incoming.tls);
  set(row, Field::prof_out_tls, profile.outgoing.tls);
  set(row, Field::prof_impersonation, profile.impersonation);
  set(row, Field::prof_autodiscover, profile.autodiscover);
  set(row, Field::prof_min_poll, profile.minimum_polling_minutes);
  set(row, Field::prof_max_conn, profile.maximum_connections);
  set(row, Field::prof_timeout_ms, profile.timeout_ms);
  row.set(Field::prof_username, yes_no(profile.incoming.user_name.has_value()));
  if (row.is_empty(Field::prof_username_format) && profile.incoming.user_name &&
      profile.incoming.user_name->find('\\') != std::string::npos) {
    row.set(Field::prof_username_format, Word::down_level);
  }
  // Which methods the legs take, their defaults filled in, decides what is missing.
  const FieldValues resolved = rules::with_defaults(row, today_).values;
  if (uses(resolved, Word::s2s) || uses(resolved, Word::hma) || uses(resolved, Word::oauth_cross_tenant) ||
      uses(resolved, Word::gmail_oauth)) {
    const bool secret = stored_.has_secret("profile", profile.name, "client-secret") ||
                        stored_.has_secret("profile", profile.name, "certificate");
    const bool missing = !stored_.has_secret("profile", profile.name, "service-account") &&
                         (!has_oauth_ids(profile) || (stage == Word::enable && !secret));
    row.set(Field::prof_oauth_data, missing ? Word::missing : Word::complete);
  }
  if (stage == Word::enable) {
    const bool incoming = stored_.has_secret("profile", profile.name, "password");
    // Exchange is signed in to once, for both directions.
    const bool once = profile.outgoing_as_incoming() || resolved.is(Field::prof_out_protocol, Word::ews);
    const bool outgoing = once ? incoming : stored_.has_secret("profile", profile.name, "out-password");
    const bool needs_in = resolved.is(Field::prof_auth_in, Word::profile_credentials);
    const bool needs_out = resolved.is(Field::prof_auth_out, Word::profile_credentials);
    row.set(Field::prof_password,
            yes_no(needs_in || needs_out ? (!needs_in || incoming) && (!needs_out || outgoing)
                                         : incoming || outgoing));
  }
}

void Assignments::set_mailbox(FieldValues& row, const model::Mailbox& mailbox, Word stage) const {
  copy_facts(mailbox.facts, row);
  row.set_text(Field::mbx_address, mailbox.address);
  set(row, Field::mbx_kind, std::optional(mailbox.kind));
  set(row, Field::req_mail_in, mailbox.incoming);
  set(row, Field::req_mail_out, mailbox.outgoing);
  set(row, Field::req_act, mailbox.act);
  set(row, Field::mbx_delete_after, mailbox.delete_after_processing);
  set(row, Field::req_override_primary, mailbox.override_primary);
  row.set_number(Field::req_folder_rules, static_cast<std::int64_t>(mailbox.folders.size()));
  // The organisation's policy is about mailboxes that can; a mailbox's own asks for it.
  const auto* mail = mailbox.policy.if_contains("mail");
  if (mail != nullptr && mail->is_object()) {
    const auto* sent = mail->get_object().if_contains("track_sent");
    if (sent != nullptr && sent->is_bool()) row.set(Field::req_track_sent, yes_no(sent->get_bool()));
  }
  const model::Profile* profile = configuration_.profile_of(mailbox);
  std::optional<SystemTime> from = mailbox.start_date;
  if (profile != nullptr && profile->process_email_from && (!from || *from < *profile->process_email_from))
    from = profile->process_email_from;
  if (from) set_day(row, Field::prof_process_from, *from);

  const MailboxStanding* standing = standing_of(mailbox.address);
  const model::Approval approval = standing != nullptr ? standing->approval : model::Approval{};
  row.set(Field::mbx_approved, yes_no(approval.status == model::ApprovalStatus::approved));
  if (!approval.role.empty()) (void)rules::set_from_text(row, Field::mbx_approver_role, approval.role);
  if (stage != Word::enable) return;
  const FieldValues resolved = rules::with_defaults(row, today_).values;
  if (uses(resolved, Word::mailbox_credentials))
    row.set(Field::mbx_creds, yes_no(stored_.has_secret("mailbox", mailbox.address, "password")));
  if (uses(resolved, Word::gmail_oauth)) {
    // A service account acts for its users without their sign-in.
    const bool delegated =
        profile != nullptr && stored_.has_secret("profile", profile->name, "service-account");
    row.set(Field::mbx_oauth_token,
            yes_no(delegated || stored_.has_secret("mailbox", mailbox.address, "token")));
  }
}

}  // namespace syncline::service
