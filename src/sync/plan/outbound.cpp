// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/outbound.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/text.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;
using model::OutboundFilter;
using model::RecordKind;

bool is_person(const json::value* person, const std::string& address) {
  const json::object* object = person == nullptr ? nullptr : person->if_object();
  const json::value* said = object == nullptr ? nullptr : object->if_contains("emailAddress");
  return said != nullptr && said->is_string() && text::equals_ignore_case(said->get_string(), address);
}

bool attends(const model::Fields& fields, const std::string& address) {
  for (const char* name : {"requiredAttendees", "optionalAttendees", "resources"}) {
    const json::value* attendees = fields.if_contains(name);
    if (attendees == nullptr || !attendees->is_array()) continue;
    for (const json::value& attendee : attendees->get_array())
      if (attendee.is_object() && is_person(attendee.get_object().if_contains("mailbox"), address))
        return true;
  }
  return false;
}

}  // namespace

Result<OutboundRules> OutboundRules::make(const model::SyncPolicy& policy) {
  OutboundRules made;
  const auto compile = [](const std::vector<OutboundFilter>& filters, RecordKind kind,
                          std::vector<Rule>& out) -> Result<void> {
    for (std::size_t i = 0; i < filters.size(); ++i) {
      Rule rule{.filter = filters[i], .expression = std::nullopt};
      if (filters[i].kind == OutboundFilter::Kind::expression) {
        auto expression = Expression::parse(filters[i].expression, kind);
        if (!expression)
          return fail(
              std::move(expression.error())
                  .during("filter " + std::to_string(i + 1) + " of " + std::string(to_string(kind)) + "s"));
        rule.expression = std::move(*expression);
      }
      out.push_back(std::move(rule));
    }
    return {};
  };
  for (auto& done : {compile(policy.send_appointments, RecordKind::appointment, made.appointments_),
                     compile(policy.send_contacts, RecordKind::contact, made.contacts_),
                     compile(policy.send_tasks, RecordKind::task, made.tasks_)})
    if (!done) return fail(done.error());
  return made;
}

const std::vector<OutboundRules::Rule>& OutboundRules::rules(RecordKind kind) const {
  switch (kind) {
    case RecordKind::appointment:
      return appointments_;
    case RecordKind::contact:
      return contacts_;
    case RecordKind::task:
      return tasks_;
    case RecordKind::email:
      break;
  }
  return none_;
}

bool OutboundRules::wants(const model::Record& record, const std::string& mailbox_address) const {
  if (mailbox_address.empty()) return false;
  const std::vector<Rule>& all = rules(record.kind);
  return std::any_of(all.begin(), all.end(), [&](const Rule& rule) {
    switch (rule.filter.kind) {
      case OutboundFilter::Kind::owner:
        return text::equals_ignore_case(record.owner, mailbox_address);
      case OutboundFilter::Kind::attendee:
        return attends(record.fields, mailbox_address);
      case OutboundFilter::Kind::organizer:
        return is_person(record.fields.if_contains("organizer"), mailbox_address);
      case OutboundFilter::Kind::expression:
        return rule.expression->matches(record.fields);
    }
    return false;
  });
}

std::string OutboundRules::version_of(RecordKind kind) const {
  std::string version;
  for (const Rule& rule : rules(kind))
    version += std::to_string(static_cast<int>(rule.filter.kind)) + ":" +
               std::to_string(rule.filter.expression.size()) + ":" + rule.filter.expression + "\n";
  return version;
}

}  // namespace syncline::sync::plan
