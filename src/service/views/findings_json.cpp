// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/findings_json.hpp"

namespace syncline::service {

namespace json = boost::json;

json::array findings_json(const Judged& judged, rules::Language language) {
  json::array list;
  for (const rules::Finding& finding : judged.judgement.findings) {
    json::array fields;
    for (const rules::Field field : rules::fields_of(*finding.rule, judged.assignment))
      fields.emplace_back(rules::name_of(field));
    list.push_back(
        json::object{{"rule", finding.rule->id},
                     {"severity", to_string(finding.severity)},
                     {"fields", std::move(fields)},
                     {"message", rules::message_of(*finding.rule, judged.assignment.values, language)},
                     {"remedy", rules::remedy_of(*finding.rule, judged.assignment.values, language)}});
  }
  return list;
}

namespace {

json::object to_json(const ObjectChange& change) {
  json::array fields;
  for (const FieldChange& field : change.fields)
    fields.push_back(json::object{{"field", field.field}, {"from", field.from}, {"to", field.to}});
  json::object object{{"action", to_string(change.action)}, {"object", change.object}, {"name", nullptr}};
  if (!change.name.empty()) object["name"] = change.name;
  object["fields"] = std::move(fields);
  return object;
}

}  // namespace

json::object to_json(const ApplyOutcome& outcome, rules::Language language, bool dry_run) {
  json::array changes;
  for (const ObjectChange& change : outcome.changes) changes.push_back(to_json(change));
  json::array mailboxes;
  for (const Judged& judged : outcome.judged) {
    mailboxes.push_back(json::object{{"mailbox", judged.address},
                                     {"verdict", to_string(judged.judgement.verdict)},
                                     {"findings", findings_json(judged, language)}});
  }
  json::array refusals;
  for (const ApplyRefusal& refusal : outcome.refusals) {
    refusals.push_back(
        json::object{{"mailbox", refusal.address}, {"code", refusal.code}, {"message", refusal.message}});
  }
  json::array warnings;
  for (const std::string& warning : outcome.warnings) warnings.emplace_back(warning);
  json::array outbound;
  for (const OutboundCount& count : outcome.outbound)
    outbound.push_back(json::object{{"mailbox", count.mailbox},
                                    {"kind", model::to_string(count.kind)},
                                    {"before", count.before},
                                    {"after", count.after}});
  return json::object{{"dryRun", dry_run},
                      {"applied", outcome.applied},
                      {"warnings", std::move(warnings)},
                      {"outbound", std::move(outbound)},
                      {"changes", std::move(changes)},
                      {"mailboxes", std::move(mailboxes)},
                      {"refusals", std::move(refusals)}};
}

}  // namespace syncline::service
