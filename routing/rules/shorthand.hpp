// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the rule files share: the catalogue's shorthand (its section 4), built from the same comparisons, so
// that the fields behind a name are known to every rule that uses it. For the rule files only.
#include "routing/rules/rule.hpp"

namespace syncline::rules::shorthand {

using enum Word;
using enum Field;

/// The fields of one direction.
struct Leg {
  Field protocol, auth, host, port, tls;
};
inline constexpr Leg kIncoming{prof_in_protocol, prof_auth_in, prof_in_host, prof_in_port, prof_in_tls};
inline constexpr Leg kOutgoing{prof_out_protocol, prof_auth_out, prof_out_host, prof_out_port, prof_out_tls};

Condition is_online();
Condition is_onprem();
Condition exchange_type();
Condition mail_only();
Condition gmail_mailbox();
Condition wants_sync();
Condition approval_required();
Condition ews_online();
/// exchange_hybrid or exchange_server: an Exchange that the organisation runs itself.
Condition own_exchange();
/// outlook_com, msn, windows_live.
Condition outlook_family();

/// A leg whose protocol is pop3, imap or smtp.
Condition is_mail(const Leg& leg);

/// The condition holds for at least one leg, each tested by itself.
template <class OfLeg>
Condition a_leg(OfLeg of_leg) {
  return of_leg(kIncoming) || of_leg(kOutgoing);
}

/// "any leg uses A", "any leg ∈ {…}", "any leg ∉ {…}" of authentication methods.
Condition any_auth(std::initializer_list<Word> methods);
Condition any_auth_outside(std::initializer_list<Word> methods);

/// (prof_in_protocol, prof_out_protocol) ∈ allowed(prof_type)
Condition allowed_pair();

/// One change for each leg for which the condition holds.
template <class ChangeOfLeg, class OfLeg>
std::vector<Change> on_legs(ChangeOfLeg change, OfLeg of_leg) {
  return {change(kIncoming).only_if(of_leg(kIncoming)), change(kOutgoing).only_if(of_leg(kOutgoing))};
}

/// Changes of several makers, one after the other.
inline std::vector<Change> operator+(std::vector<Change> a, const std::vector<Change>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace syncline::rules::shorthand
