// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The codes that enumerated fields take. One enumeration for all fields, so that a condition reads as the
// catalogue writes it (`prof_in_protocol == ews`); which codes a field takes is its domain, in fields.cpp.
#include <cstdint>
#include <optional>
#include <string_view>

namespace syncline::rules {

// identifier, text. The text is what stands in files and output; it is never translated.
// clang-format off
#define SYNCLINE_RULE_WORDS(X) \
  X(assign, "assign") X(enable, "enable") X(online, "online") X(onprem, "onprem") X(public_, "public") \
  X(usgov, "usgov") X(yes, "yes") X(no, "no") X(https, "https") X(http, "http") X(zero, "0") X(one, "1") \
  X(none, "none") X(sss, "sss") X(outlook, "outlook") X(ip_or_name, "ip_or_name") X(content, "content") \
  X(transform, "transform") X(unset, "unset") X(allowlisted, "allowlisted") \
  X(enabled_not_listed, "enabled_not_listed") X(disabled, "disabled") \
  X(exchange_online, "exchange_online") X(exchange_online_hybrid, "exchange_online_hybrid") \
  X(exchange_hybrid, "exchange_hybrid") X(exchange_server, "exchange_server") X(pop3_smtp, "pop3_smtp") \
  X(imap_smtp, "imap_smtp") X(gmail, "gmail") X(active, "active") X(inactive, "inactive") X(ews, "ews") \
  X(graph, "graph") X(pop3, "pop3") X(imap, "imap") X(smtp, "smtp") \
  X(mailbox_credentials, "mailbox_credentials") X(profile_credentials, "profile_credentials") \
  X(s2s, "s2s") X(windows_integrated, "windows_integrated") X(anonymous, "anonymous") \
  X(gmail_oauth, "gmail_oauth") X(hma, "hma") X(oauth_cross_tenant, "oauth_cross_tenant") X(upn, "upn") \
  X(down_level, "down_level") X(implicit, "implicit") X(starttls, "starttls") X(tls_1_0, "1.0") \
  X(tls_1_1, "1.1") X(tls_1_2, "1.2") X(tls_1_3, "1.3") X(complete, "complete") X(missing, "missing") \
  X(na, "na") X(production, "production") X(testing, "testing") X(ntlm, "ntlm") X(basic, "basic") \
  X(both, "both") X(user, "user") X(queue, "queue") X(forward, "forward") X(mailbox, "mailbox") \
  X(shared, "shared") X(alias, "alias") X(distribution_list, "distribution_list") X(contact, "contact") \
  X(exchange_onprem, "exchange_onprem") X(yahoo, "yahoo") X(outlook_com, "outlook_com") X(msn, "msn") \
  X(windows_live, "windows_live") X(other, "other") X(v2003, "2003") X(v2007, "2007") X(v2010, "2010") \
  X(v2010sp3, "2010sp3") X(v2013, "2013") X(v2013sp1, "2013sp1") X(v2013cu19, "2013cu19") \
  X(v2016rtm, "2016rtm") X(v2016, "2016") X(v2019, "2019") X(se, "se") X(same, "same") \
  X(global_admin, "global_admin") X(exchange_admin, "exchange_admin") \
  X(delegated_approver, "delegated_approver") X(system_admin, "system_admin") \
  X(foreign_admin, "foreign_admin") X(two_users, "two_users") X(two_profiles, "two_profiles") \
  X(user_and_queue, "user_and_queue") X(on_contact, "on_contact") X(this_, "this") X(unknown, "unknown") \
  X(normal, "normal") X(bulk_marketing, "bulk_marketing") X(rw, "rw") X(r, "r")
// clang-format on

enum class Word : std::uint8_t {
#define SYNCLINE_WORD(identifier, text) identifier,
  SYNCLINE_RULE_WORDS(SYNCLINE_WORD)
#undef SYNCLINE_WORD
};

std::string_view to_string(Word word) noexcept;
std::optional<Word> word_from(std::string_view text) noexcept;

}  // namespace syncline::rules
