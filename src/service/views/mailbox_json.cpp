// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/mailbox_json.hpp"

#include <boost/json/array.hpp>

#include "service/organisation/secrets.hpp"
#include "service/views/check_json.hpp"
#include "service/views/findings_json.hpp"
#include "service/views/json_values.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

/// Legs as `check --format json` prints them.
json::value route_json(const std::optional<router::Route>& route) {
  std::string text;
  append_json(text, route);
  return parsed_or_null(text);
}

}  // namespace

std::string profile_name(const Configuration& configuration, const model::Mailbox& mailbox) {
  const model::Profile* profile = configuration.profile_of(mailbox);
  return profile != nullptr ? profile->name : std::string();
}

json::object mailbox_json(const StoredOrganisation& stored, const model::Mailbox& mailbox) {
  const MailboxStanding& standing = stored.mailboxes.at(mailbox.address);
  const std::string profile = profile_name(stored.configuration, mailbox);
  json::object approval{{"status", model::word_of(standing.approval.status)},
                        {"by", nullptr},
                        {"at", nullptr},
                        {"reason", nullptr},
                        {"role", nullptr}};
  if (!standing.approval.by.empty()) approval["by"] = standing.approval.by;
  if (standing.approval.at) approval["at"] = json_time(*standing.approval.at);
  if (!standing.approval.reason.empty()) approval["reason"] = standing.approval.reason;
  if (!standing.approval.role.empty()) approval["role"] = standing.approval.role;
  json::object object{{"mailbox", mailbox.address},      {"kind", model::word_of(mailbox.kind)},
                      {"owner", mailbox.record_owner()}, {"profile", nullptr},
                      {"approval", std::move(approval)}, {"enabled", standing.enabled}};
  if (!profile.empty()) object["profile"] = profile;
  return object;
}

Examined examine(const Assignments& assignments, const MailboxGate& gate, const model::Mailbox& mailbox) {
  Examined examined{assignments.judge(mailbox, rules::Word::enable), std::nullopt, std::nullopt};
  examined.obstacle = gate.obstacle_to_enabling(mailbox.address);
  if (examined.judged.checked) {
    if (auto route = router::route(*examined.judged.checked)) examined.route = std::move(*route);
  }
  return examined;
}

json::object mailbox_details_json(const StoredOrganisation& stored, const model::Mailbox& mailbox,
                                  const Examined& examined, rules::Language language) {
  json::object object = mailbox_json(stored, mailbox);
  object["settings"] = to_object(mailbox_settings(), mailbox);
  json::array secrets;
  for (const std::string_view kind : secret_kinds) {
    if (stored.has_secret("mailbox", mailbox.address, kind)) secrets.emplace_back(kind);
  }
  object["secrets"] = std::move(secrets);
  object["verdict"] = to_string(examined.judged.judgement.verdict);
  object["findings"] = findings_json(examined.judged, language);
  object["obstacle"] = nullptr;
  if (examined.obstacle)
    object["obstacle"] =
        json::object{{"code", examined.obstacle->code}, {"message", examined.obstacle->message}};
  object["route"] = route_json(examined.route);
  object["state"] = parsed_or_null(stored.mailboxes.at(mailbox.address).state);
  return object;
}

json::object to_json(const MailboxActOutcome& outcome, MailboxAct act, rules::Language language) {
  json::object object{{"mailbox", outcome.address},
                      {"act", to_string(act)},
                      {"changed", outcome.changed},
                      {"obstacle", nullptr}};
  if (outcome.obstacle) {
    json::array findings;
    if (outcome.obstacle->judged) findings = findings_json(*outcome.obstacle->judged, language);
    object["obstacle"] = json::object{{"code", outcome.obstacle->code},
                                      {"message", outcome.obstacle->message},
                                      {"findings", std::move(findings)}};
  }
  return object;
}

}  // namespace syncline::service
