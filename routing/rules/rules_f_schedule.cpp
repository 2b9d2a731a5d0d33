// SPDX-License-Identifier: GPL-3.0-or-later
// Group F of the catalogue: schedule and limits.
#include "routing/rules/groups.hpp"
#include "routing/rules/shorthand.hpp"

namespace syncline::rules {
namespace {

using namespace shorthand;

}  // namespace

Group schedule_and_limits() {
  return {
      'F',
      "Schedule and limits",
      {
          Rule{
              .id = "POLL-INTERVAL-RANGE",
              .severity = Severity::reject,
              .condition = prof_min_poll < 0 || prof_min_poll > 1440,
              .message = "The polling interval of {prof_min_poll} minutes is out of range: 0 (engine "
                         "default) to 1440.",
              .remedy = "Correct the value.",
              .change = {to_default(prof_min_poll)},
              .source = "S0/S1 field “minimum polling intervals”; P26",
          },
          Rule{
              .id = "POLL-INTERVAL-SHORT",
              .severity = Severity::warn,
              .condition = prof_min_poll >= 1 && prof_min_poll <= 4,
              .message = "Polling every {prof_min_poll} minutes is shorter than the five-minute cycle of the "
                         "reference service; providers may throttle.",
              .remedy = "Use 5 or more.",
              .change = {set(prof_min_poll, 5)},
              .source = "P2 frequency section",
          },
          Rule{
              .id = "CONN-MAX-RANGE",
              .severity = Severity::reject,
              .condition = prof_max_conn < 1 || prof_max_conn > 300,
              .message = "{prof_max_conn} concurrent connections are out of range: 1 to 300.",
              .remedy = "Correct the value (default 10).",
              .change = {to_default(prof_max_conn)},
              .source = "S0/S1 field “maximum concurrent connections”; P26",
          },
          Rule{
              .id = "CONN-MAX-HIGH",
              .severity = Severity::warn,
              .condition = prof_max_conn <= 300 &&
                           ((exchange_type() && prof_max_conn > 27) || (mail_only() && prof_max_conn > 10)),
              .message = "{prof_max_conn} connections are more than servers usually grant one account (27 on "
                         "EWS, 10 on mail servers).",
              .remedy = "Lower the value.",
              .change = {set(prof_max_conn, 27).only_if(exchange_type()),
                         set(prof_max_conn, 10).only_if(mail_only())},
              .source = "P31 EWSMaxConcurrency; S0/S1 same field (lower it on errors)",
          },
          Rule{
              .id = "TIMEOUT-RANGE",
              .severity = Severity::reject,
              .condition = prof_timeout_ms < 0 || prof_timeout_ms > 100000,
              .message = "A mailbox connection timeout of {prof_timeout_ms} ms is out of range: 0 to 100000.",
              .remedy = "Correct the value.",
              .change = {to_default(prof_timeout_ms)},
              .source = "P26 TimeoutMailboxConnectionAfterAmount",
          },
          Rule{
              .id = "PROCESS-FROM-PAST",
              .severity = Severity::warn,
              .condition =
                  req_mail_in == sss && is_set(prof_process_from) && is_before(prof_process_from, env_as_of),
              .message = "Mail since {prof_process_from} will be pulled for every newly attached mailbox.",
              .remedy = "Use today's date, or set a later date on the mailbox.",
              .change = {set(prof_process_from, AsOf{})},
              .source = "S0/S1 field “process email from”",
          },
          Rule{
              .id = "PROCESS-FROM-LIMIT",
              .severity = Severity::reject,
              .condition = req_mail_in == sss && is_set(prof_process_from) &&
                           is_set(env_process_from_max_days) &&
                           is_further_back(prof_process_from, env_as_of, env_process_from_max_days),
              .message = "The start date {prof_process_from} is further back than the "
                         "{env_process_from_max_days} days that the deployment allows.",
              .remedy = "Choose a later date.",
              .change = {set(prof_process_from, EarliestAllowed{})},
              .source = "P39 ProcessEmailSinceMaximumDaysAllowed",
          },
          Rule{
              .id = "PROCESS-FROM-FUTURE",
              .severity = Severity::info,
              .condition =
                  req_mail_in == sss && is_set(prof_process_from) && is_before(env_as_of, prof_process_from),
              .message = "Mail received before {prof_process_from} will be skipped.",
              .remedy = "Nothing to do if that is meant; else choose an earlier date.",
              .change = {look_at(prof_process_from)},
              .source = "S0/S1 field “process email from”",
          },
      }};
}

}  // namespace syncline::rules
