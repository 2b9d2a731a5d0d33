// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/adoption.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>
#include <string>
#include <utility>

#include "base/text.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;
using model::FieldType;

/// Addresses in the order in which they come, each once.
struct Addresses {
  std::vector<std::string> in_order = {};
  std::set<std::string> seen = {};
};

void add_address(const json::value& value, Addresses& out) {
  const json::string* text_value = value.if_string();
  if (text_value == nullptr || text_value->find('@') == json::string::npos) return;
  std::string address = text::to_lower_ascii(text::trim(*text_value));
  if (out.seen.insert(address).second) out.in_order.push_back(std::move(address));
}

void add_person(const json::value* person, Addresses& out) {
  const json::object* object = person == nullptr ? nullptr : person->if_object();
  if (object == nullptr) return;
  if (const json::value* address = object->if_contains("emailAddress")) add_address(*address, out);
}

bool says_private(const model::Fields& fields) {
  const json::value* sensitivity = fields.if_contains("sensitivity");
  return sensitivity != nullptr && sensitivity->is_string() &&
         (sensitivity->get_string() == "Private" || sensitivity->get_string() == "Confidential");
}

}  // namespace

model::Adoption adoption_of(model::RecordKind kind, const model::SyncPolicy& policy) {
  switch (kind) {
    case model::RecordKind::appointment:
      return policy.adopt_appointments;
    case model::RecordKind::contact:
      return policy.adopt_contacts;
    case model::RecordKind::task:
      return policy.adopt_tasks;
    case model::RecordKind::email:
      break;
  }
  return model::Adoption::none;
}

bool has_category(const model::Fields& fields, std::string_view category) {
  const json::value* categories = fields.if_contains("categories");
  if (categories == nullptr || !categories->is_array()) return false;
  return std::any_of(categories->get_array().begin(), categories->get_array().end(),
                     [&](const json::value& one) {
                       return one.is_string() && text::equals_ignore_case(one.get_string(), category);
                     });
}

std::vector<std::string> addresses_in(model::RecordKind kind, const model::Fields& fields) {
  Addresses addresses;
  for (const model::FieldInfo& field : model::fields_of(kind)) {
    const bool may_hold_one = field.type == FieldType::person || field.type == FieldType::people ||
                              field.type == FieldType::attendees || field.name == "emailAddresses";
    const json::value* value = may_hold_one ? fields.if_contains(field.name) : nullptr;
    if (value == nullptr) continue;
    if (field.type == FieldType::person) add_person(value, addresses);
    if ((field.type == FieldType::people || field.type == FieldType::attendees) && value->is_array())
      for (const json::value& element : value->get_array()) {
        const json::object* object = element.if_object();
        add_person(
            field.type == FieldType::people || object == nullptr ? &element : object->if_contains("mailbox"),
            addresses);
      }
    if (field.name == "emailAddresses" && value->is_object())
      for (const auto& entry : value->get_object()) add_address(entry.value(), addresses);
  }
  return std::move(addresses.in_order);
}

AdoptionDecision decide_adoption(const Candidate& candidate, const model::SyncPolicy& policy) {
  if (candidate.is_private || says_private(candidate.fields)) return {.adopt = false, .reason = "private"};
  const model::Adoption adoption = adoption_of(candidate.kind, policy);
  if (adoption == model::Adoption::none) return {.adopt = false, .reason = "policy-none"};
  if (adoption == model::Adoption::all) return {.adopt = true, .reason = "policy-all"};
  if (has_category(candidate.fields, policy.tracking_category)) return {.adopt = true, .reason = "category"};
  if (candidate.bears_our_mark) return {.adopt = true, .reason = "our-property"};
  if (adoption == model::Adoption::known_contacts && candidate.with_known_contact)
    return {.adopt = true, .reason = "known-contact"};
  return {.adopt = false, .reason = "no-category"};
}

}  // namespace syncline::sync::plan
