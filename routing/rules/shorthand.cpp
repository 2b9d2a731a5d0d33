// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/shorthand.hpp"

#include "routing/rules/catalogue.hpp"

namespace syncline::rules::shorthand {

Condition is_online() {
  return named("online", env_deployment == online);
}
Condition is_onprem() {
  return named("onprem", env_deployment == onprem);
}

Condition exchange_type() {
  return named("exchange_type",
               in(prof_type, {exchange_online, exchange_online_hybrid, exchange_hybrid, exchange_server}));
}
Condition mail_only() {
  return named("mail_only", in(prof_type, {pop3_smtp, imap_smtp, gmail}));
}
Condition gmail_mailbox() {
  return named("gmail_mailbox", mail_only() && (prof_type == gmail || mbx_host == gmail));
}
Condition wants_sync() {
  return named("wants_sync", in(req_mail_in, {sss, forward}) || req_mail_out == sss || req_act == sss);
}
Condition approval_required() {
  return named("approval_required",
               (mbx_kind == user && env_require_user_approval == yes) ||
                   (in(mbx_kind, {queue, forward}) && env_require_queue_approval == yes));
}
Condition ews_online() {
  return named("ews_online", mbx_host == exchange_online && mbx_external_target == no &&
                                 a_leg([](const Leg& leg) { return leg.protocol == ews; }) && wants_sync());
}
Condition own_exchange() {
  return in(prof_type, {exchange_hybrid, exchange_server});
}
Condition outlook_family() {
  return in(mbx_host, {outlook_com, msn, windows_live});
}

Condition is_mail(const Leg& leg) {
  return in(leg.protocol, {pop3, imap, smtp});
}

Condition any_auth(std::initializer_list<Word> methods) {
  return in(prof_auth_in, methods) || in(prof_auth_out, methods);
}
Condition any_auth_outside(std::initializer_list<Word> methods) {
  return not_in(prof_auth_in, methods) || not_in(prof_auth_out, methods);
}

Condition allowed_pair() {
  std::optional<Condition> any;
  for (const Word type : info(prof_type).domain) {
    std::optional<Condition> pairs;
    for (const ProtocolPair& pair : allowed_pairs(type)) {
      const Condition one = prof_in_protocol == pair.incoming && prof_out_protocol == pair.outgoing;
      pairs = pairs ? *pairs || one : one;
    }
    if (!pairs) continue;
    const Condition of_type = prof_type == type && *pairs;
    any = any ? *any || of_type : of_type;
  }
  return named("(prof_in_protocol, prof_out_protocol) ∈ allowed(prof_type)", *any);
}

}  // namespace syncline::rules::shorthand
