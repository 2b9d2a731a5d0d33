// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/fields.hpp"

#include <algorithm>

namespace syncline::rules {
namespace {

template <Word... words>
std::span<const Word> words_of() noexcept {
  static constexpr std::array<Word, sizeof...(words)> kWords{words...};
  return kWords;
}

const std::array<FieldInfo, kFieldCount>& table() noexcept {
  static const std::array<FieldInfo, kFieldCount> kTable{{
      {"stage", FieldKind::word, words_of<Word::assign, Word::enable>(), false,
       "assignment, or the test-and-enable step", "assign"},
      {"env_deployment", FieldKind::word, words_of<Word::online, Word::onprem>(), false,
       "hosted record store, or on-premises record store", "online"},
      {"env_cloud", FieldKind::word, words_of<Word::public_, Word::usgov>(), false,
       "cloud the service runs in", "public"},
      {"env_as_of",
       FieldKind::date,
       {},
       false,
       "day for which the verdict holds",
       "today in UTC, taken by the command"},
      {"env_fips", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "FIPS 140-2 enforced; only read when env_deployment = onprem (online always requires it)", "no"},
      {"env_form_scheme", FieldKind::word, words_of<Word::https, Word::http>(), false,
       "how the admin form is served", "https"},
      {"env_allow_insecure_creds", FieldKind::word, words_of<Word::zero, Word::one>(), false,
       "deployment property AllowCredentialsEntryViaNonSecureChannels", "0"},
      {"env_require_user_approval", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "process mail only for approved users (default yes)", "yes"},
      {"env_require_queue_approval", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "process mail only for approved queues (default yes); also used for forward mailboxes", "yes"},
      {"env_default_profile", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "a default profile is set", "no"},
      {"env_default_act", FieldKind::word, words_of<Word::none, Word::sss, Word::outlook>(), false,
       "default ACT method for new mailboxes", "none"},
      {"env_org_act_other", FieldKind::word, words_of<Word::none, Word::outlook, Word::sss>(), false,
       "ACT method that other users of the organisation use", "none"},
      {"env_net_inspection", FieldKind::word,
       words_of<Word::none, Word::ip_or_name, Word::content, Word::transform>(), false,
       "what network gear does with the traffic", "none"},
      {"env_encryption_gateway", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "an encryption gateway sits in front of the mail system", "no"},
      {"env_custom_provider", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "someone extends the EWS/POP3/SMTP providers", "no"},
      {"env_process_from_max_days", FieldKind::integer, {}, true, "how far back a start date may lie", ""},
      {"env_ews_tenant", FieldKind::word,
       words_of<Word::unset, Word::allowlisted, Word::enabled_not_listed, Word::disabled>(), false,
       "EWS state of the Exchange Online tenant as seen by our application id", "unset"},
      {"prof_type", FieldKind::word,
       words_of<Word::exchange_online, Word::exchange_online_hybrid, Word::exchange_hybrid,
                Word::exchange_server, Word::pop3_smtp, Word::imap_smtp, Word::gmail, Word::none>(),
       false,
       "server type; codes of the reference product: 0 Exchange Server, 1 POP3/SMTP, 2 Exchange Server "
       "(Hybrid), 3 Exchange Online (Hybrid), 4 IMAP/SMTP; Gmail and Exchange Online are separate choices in "
       "its admin centre",
       "none"},
      {"prof_state", FieldKind::word, words_of<Word::active, Word::inactive>(), false, "record state",
       "active"},
      {"prof_name", FieldKind::text, {}, true, "name of the profile; no rule reads it", ""},
      {"prof_name_len",
       FieldKind::integer,
       {},
       true,
       "length of the name",
       "length of prof_name; 1 if that is not given either"},
      {"prof_is_default", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "default profile for new mailboxes", "no"},
      {"prof_in_protocol", FieldKind::word,
       words_of<Word::ews, Word::graph, Word::pop3, Word::imap, Word::smtp, Word::none>(), false,
       "incoming protocol",
       "by type: Exchange types ews; pop3_smtp pop3; imap_smtp imap; gmail imap (pop3 in the usgov cloud, "
       "where 993 is closed); none for none"},
      {"prof_out_protocol", FieldKind::word,
       words_of<Word::ews, Word::graph, Word::pop3, Word::imap, Word::smtp, Word::none>(), false,
       "outgoing protocol",
       "by type: Exchange types ews; pop3_smtp, imap_smtp and gmail smtp; none for none"},
      {"prof_auth_in", FieldKind::word,
       words_of<Word::mailbox_credentials, Word::profile_credentials, Word::s2s, Word::windows_integrated,
                Word::anonymous, Word::gmail_oauth, Word::hma, Word::oauth_cross_tenant, Word::none>(),
       false,
       "incoming authentication; codes 0 to 7 of the reference product in this order; none = no method "
       "chosen, judged like anonymous",
       "by type: exchange_online s2s; exchange_online_hybrid s2s; exchange_hybrid and exchange_server "
       "profile_credentials; pop3_smtp and imap_smtp mailbox_credentials; gmail gmail_oauth; none for none"},
      {"prof_auth_out", FieldKind::word,
       words_of<Word::mailbox_credentials, Word::profile_credentials, Word::s2s, Word::windows_integrated,
                Word::anonymous, Word::gmail_oauth, Word::hma, Word::oauth_cross_tenant, Word::none>(),
       false, "outgoing authentication", "as prof_auth_in"},
      {"prof_username", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "user name stored in the profile", "yes if a leg uses profile_credentials, else no"},
      {"prof_password", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "password stored in the profile", "yes if a leg uses profile_credentials, else no"},
      {"prof_username_format", FieldKind::word, words_of<Word::upn, Word::down_level>(), false,
       "user@domain or domain\\user", "upn"},
      {"prof_impersonation", FieldKind::word, words_of<Word::yes, Word::no>(), false, "use impersonation",
       "yes if the type is exchange_hybrid or exchange_server and the incoming leg uses profile_credentials, "
       "else no"},
      {"prof_autodiscover", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "locate the server automatically", "yes for Exchange types, else no"},
      {"prof_in_host", FieldKind::text, {}, true, "incoming location (URL for EWS)", ""},
      {"prof_out_host", FieldKind::text, {}, true, "outgoing location", ""},
      {"prof_in_port",
       FieldKind::integer,
       {},
       true,
       "incoming port",
       "by protocol: ews and graph 443; pop3 995; imap 993; smtp 587, in the usgov cloud 465"},
      {"prof_out_port",
       FieldKind::integer,
       {},
       true,
       "outgoing port",
       "by protocol: ews and graph 443; pop3 995; imap 993; smtp 587, in the usgov cloud 465"},
      {"prof_in_tls", FieldKind::word, words_of<Word::implicit, Word::starttls, Word::none>(), false,
       "TLS from the first byte, upgrade, or none", "by port: 110, 143, 25, 587 starttls; else implicit"},
      {"prof_out_tls", FieldKind::word, words_of<Word::implicit, Word::starttls, Word::none>(), false,
       "same, outgoing", "by port: 110, 143, 25, 587 starttls; else implicit"},
      {"prof_tls_version", FieldKind::word,
       words_of<Word::tls_1_0, Word::tls_1_1, Word::tls_1_2, Word::tls_1_3>(), false,
       "highest version the server offers", "1.2"},
      {"prof_oauth_data", FieldKind::word, words_of<Word::complete, Word::missing, Word::na>(), false,
       "application ids, secrets, certificates the method needs",
       "complete if a leg uses s2s, gmail_oauth, hma or oauth_cross_tenant, else na"},
      {"prof_gmail_app_status", FieldKind::word, words_of<Word::production, Word::testing, Word::na>(), false,
       "publishing state of the Google app", "production if a leg uses gmail_oauth, else na"},
      {"prof_iis_auth", FieldKind::word,
       words_of<Word::ntlm, Word::basic, Word::both, Word::none, Word::na>(), false,
       "what the EWS directory of the Exchange server accepts",
       "ntlm for exchange_hybrid and exchange_server, else na"},
      {"prof_process_from", FieldKind::date, {}, true, "process mail received after", ""},
      {"prof_min_poll", FieldKind::integer, {}, false, "minimum polling interval in minutes", "0"},
      {"prof_max_conn", FieldKind::integer, {}, false, "maximum concurrent connections (default 10)", "10"},
      {"prof_timeout_ms", FieldKind::integer, {}, false, "timeout of one mailbox connection", "60000"},
      {"prof_mailbox_count",
       FieldKind::integer,
       {},
       false,
       "mailboxes on this profile, this one included",
       "1"},
      {"mbx_kind", FieldKind::word, words_of<Word::user, Word::queue, Word::forward>(), false,
       "what the mailbox record belongs to", "user"},
      {"mbx_address", FieldKind::text, {}, true, "primary address", ""},
      {"mbx_recipient_type", FieldKind::word,
       words_of<Word::mailbox, Word::shared, Word::alias, Word::distribution_list, Word::contact>(), false,
       "what the address is on the mail system", "mailbox"},
      {"mbx_host", FieldKind::word,
       words_of<Word::exchange_online, Word::exchange_onprem, Word::gmail, Word::yahoo, Word::outlook_com,
                Word::msn, Word::windows_live, Word::other>(),
       false, "where the mailbox lives",
       "by type: exchange_online and exchange_online_hybrid exchange_online; exchange_hybrid and "
       "exchange_server exchange_onprem; gmail gmail; else by the address's domain: gmail.com and "
       "googlemail.com gmail; yahoo.* and ymail.com yahoo; outlook.*, hotmail.* outlook_com; msn.com msn; "
       "live.* windows_live; else other"},
      {"mbx_exchange_version", FieldKind::word,
       words_of<Word::v2003, Word::v2007, Word::v2010, Word::v2010sp3, Word::v2013, Word::v2013sp1,
                Word::v2013cu19, Word::v2016rtm, Word::v2016, Word::v2019, Word::se>(),
       true,
       "2013 = before SP1; 2013sp1 = SP1 to CU18; 2013cu19 = CU19 or later; 2016rtm = before CU8; 2016 = CU8 "
       "or later",
       ""},
      {"mbx_tenant", FieldKind::word, words_of<Word::same, Word::other, Word::na>(), false,
       "tenant of the mailbox compared with the record store; na = does not apply (mailbox not on Exchange "
       "Online, or on-premises deployment); it is neither same nor other, so no rule that reads this field "
       "fires. Online, an Exchange Online mailbox always has same or other",
       "same for an Exchange Online mailbox and an online deployment, else na"},
      {"mbx_external_target", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "the Exchange object points to an external mail server", "no"},
      {"mbx_state", FieldKind::word, words_of<Word::active, Word::inactive>(), false, "record state",
       "active"},
      {"mbx_approved", FieldKind::word, words_of<Word::yes, Word::no>(), false, "address approved", "yes"},
      {"mbx_approver_role", FieldKind::word,
       words_of<Word::global_admin, Word::exchange_admin, Word::delegated_approver, Word::system_admin,
                Word::foreign_admin, Word::none>(),
       false, "role of the person who approved; the first two mean of the primary tenant",
       "global_admin for mbx_host exchange_online, else system_admin"},
      {"mbx_creds", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "credentials stored on the mailbox and allowed for use",
       "yes if a leg uses mailbox_credentials, else no"},
      {"mbx_oauth_token", FieldKind::word, words_of<Word::yes, Word::no, Word::na>(), false,
       "the mailbox user has completed the OAuth sign-in", "yes if a leg uses gmail_oauth, else na"},
      {"mbx_mfa", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "the account needs multi-factor authentication", "no"},
      {"mbx_license", FieldKind::word, words_of<Word::yes, Word::no>(), false, "mail licence present", "yes"},
      {"mbx_owner_role", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "owner of the record has a security role", "yes"},
      {"mbx_dup", FieldKind::word,
       words_of<Word::none, Word::two_users, Word::two_profiles, Word::user_and_queue, Word::on_contact>(),
       false, "where else the address or mailbox appears", "none"},
      {"mbx_primary_org", FieldKind::word, words_of<Word::this_, Word::unset, Word::other>(), false,
       "organisation that owns ACT sync of the mailbox", "unset"},
      {"mbx_delete_after", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "delete mail after processing", "no"},
      {"mbx_server_fips", FieldKind::word, words_of<Word::yes, Word::no, Word::unknown>(), false,
       "FIPS 140-2 compliance of the mail server", "yes for gmail and yahoo, else unknown"},
      {"req_mail_in", FieldKind::word, words_of<Word::none, Word::sss, Word::outlook, Word::forward>(), false,
       "incoming delivery method", "sss"},
      {"req_mail_out", FieldKind::word, words_of<Word::none, Word::sss, Word::outlook>(), false,
       "outgoing delivery method", "sss"},
      {"req_act", FieldKind::word, words_of<Word::none, Word::sss, Word::outlook>(), false,
       "appointments, contacts and tasks", "sss for Exchange types and user mailboxes, else none"},
      {"req_override_primary", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "“sync items only from this organisation” ticked", "no"},
      {"req_purpose", FieldKind::word, words_of<Word::normal, Word::bulk_marketing>(), false, "declared use",
       "normal"},
      {"req_app_for_outlook", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "app for Outlook wanted", "no"},
      {"req_outlook_web", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "Outlook on the web used with tracking", "no"},
      {"req_outlook_manual_tracking", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "manual tracking in the legacy Outlook client", "no"},
      {"req_folder_rules", FieldKind::integer, {}, false, "number of folder tracking rules", "0"},
      {"req_track_sent", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "track sent items automatically", "no"},
      {"req_forward_exists", FieldKind::word, words_of<Word::yes, Word::no>(), false,
       "a forward mailbox exists", "no"},
      {"req_privileges", FieldKind::word, words_of<Word::rw, Word::r, Word::none>(), false,
       "rights of the caller on the mailbox record", "rw"},
  }};
  return kTable;
}

struct NamedField {
  std::string_view name;
  Field field;
};

const std::array<NamedField, kFieldCount>& by_name() noexcept {
  static const auto kSorted = [] {
    std::array<NamedField, kFieldCount> sorted{};
    for (std::size_t i = 0; i < kFieldCount; ++i) sorted[i] = {table()[i].name, static_cast<Field>(i)};
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return sorted;
  }();
  return kSorted;
}

}  // namespace

const FieldInfo& info(Field field) noexcept {
  return table()[static_cast<std::size_t>(field)];
}

std::string_view name_of(Field field) noexcept {
  return info(field).name;
}

std::optional<Field> field_from(std::string_view name) noexcept {
  const auto& sorted = by_name();
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), name,
                       [](const NamedField& entry, std::string_view text) { return entry.name < text; });
  if (found == sorted.end() || found->name != name) return std::nullopt;
  return found->field;
}

std::optional<unsigned> index_in_domain(Field field, Word word) noexcept {
  const auto domain = info(field).domain;
  const auto found = std::find(domain.begin(), domain.end(), word);
  if (found == domain.end()) return std::nullopt;
  return static_cast<unsigned>(found - domain.begin());
}

std::optional<unsigned> index_in_domain(Field field, std::string_view text) noexcept {
  const auto domain = info(field).domain;
  for (unsigned i = 0; i < domain.size(); ++i) {
    if (to_string(domain[i]) == text) return i;
  }
  return std::nullopt;
}

std::span<const Field> all_fields() noexcept {
  static const auto kAll = [] {
    std::array<Field, kFieldCount> all{};
    for (std::size_t i = 0; i < kFieldCount; ++i) all[i] = static_cast<Field>(i);
    return all;
  }();
  return kAll;
}

}  // namespace syncline::rules
