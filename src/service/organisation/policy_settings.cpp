// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "model/policy_words.hpp"
#include "service/organisation/configuration.hpp"
#include "service/organisation/setting_values.hpp"
#include "sync/plan/expression.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using P = model::Policies;
using Filters = std::vector<model::OutboundFilter>;

Wrong read_filters(const json::value& value, model::RecordKind kind, Filters& into) {
  const auto* list = value.if_array();
  if (list == nullptr)
    return "a list of filters is expected: [\"owner\", { expression = 'categories = \"vip\"' }]";
  if (list->size() > 100) return "there are more than 100 filters";
  Filters read;
  for (const json::value& entry : *list) {
    model::OutboundFilter filter;
    if (const auto* object = entry.if_object()) {
      const auto* text = object->if_contains("expression");
      if (object->size() != 1 || text == nullptr || !text->is_string())
        return "a filter's table has one key: expression";
      filter.kind = model::OutboundFilter::Kind::expression;
      filter.expression = std::string(text->get_string());
      const auto parsed = sync::plan::Expression::parse(filter.expression, kind);
      if (!parsed) return "expression: " + parsed.error().message;
    } else {
      if (Wrong wrong = read_value(entry, filter.kind)) return wrong;
      if (filter.kind == model::OutboundFilter::Kind::expression)
        return "an expression is written { expression = '…' }";
    }
    read.push_back(std::move(filter));
  }
  into = std::move(read);
  return std::nullopt;
}

json::value write_filters(const Filters& filters) {
  if (filters.empty()) return nullptr;
  json::array list;
  for (const model::OutboundFilter& filter : filters) {
    if (filter.kind == model::OutboundFilter::Kind::expression) {
      list.push_back(json::object{{"expression", filter.expression}});
    } else {
      list.emplace_back(model::word_of(filter.kind));
    }
  }
  return list;
}

template <class Member>
Setting<P> filters_setting(std::string_view key, model::RecordKind kind, Member member, std::string_view help,
                           std::string_view example) {
  return {key,
          help,
          example,
          false,
          [member](const P& policies) { return write_filters(member(policies)); },
          [member, kind](P& policies, const json::value& value) {
            return read_filters(value, kind, member(policies));
          }};
}

/// `appointment = { subject = "to_exchange" }`: a word for a field of a kind of record.
template <class Member>
Setting<P> by_field_setting(model::RecordKind kind, Member member, bool settable_only, std::string_view help,
                            std::string_view example) {
  using Word = typename std::remove_cvref_t<decltype(member(std::declval<P&>()))>::mapped_type;
  return {model::to_string(kind),
          help,
          example,
          false,
          [member, kind](const P& policies) -> json::value {
            json::object object;
            for (const auto& [place, word] : member(policies)) {
              if (place.first == kind) object.emplace(place.second, model::word_of(word));
            }
            if (object.empty()) return nullptr;
            return object;
          },
          [member, kind, settable_only](P& policies, const json::value& value) -> Wrong {
            const auto* object = value.if_object();
            if (object == nullptr) return "a table of fields is expected";
            for (const auto& [name, word] : *object) {
              const model::FieldInfo* field = model::find_field(kind, std::string_view(name));
              if (field == nullptr)
                return fmt::format("{} has no field {}", model::to_string(kind), std::string_view(name));
              if (settable_only && !field->settable)
                return fmt::format("the direction of {} is fixed", std::string_view(name));
              Word read{};
              if (Wrong wrong = read_value(word, read)) return std::string(name) + ": " + *wrong;
              member(policies)[{kind, std::string(field->name)}] = read;
            }
            return std::nullopt;
          }};
}

std::vector<PolicySection> make_sections() {
  using model::RecordKind;
  Settings<P> sync = {
      setting<P>("adopt_appointments", SYNCLINE_MEMBER(sync.adopt_appointments),
                 "appointments that become records: none, category, known_contacts, all", "\"category\""),
      setting<P>("adopt_contacts", SYNCLINE_MEMBER(sync.adopt_contacts), "the same for contacts",
                 "\"category\""),
      setting<P>("adopt_tasks", SYNCLINE_MEMBER(sync.adopt_tasks), "the same for tasks", "\"category\""),
      setting<P>("tracking_category", SYNCLINE_MEMBER(sync.tracking_category),
                 "the category that says: track this", "\"Tracked by Syncline\""),
      filters_setting("send_appointments", RecordKind::appointment, SYNCLINE_MEMBER(sync.send_appointments),
                      "records that go to Exchange: owner, attendee, organizer, expressions; default none",
                      "[\"attendee\", \"organizer\"]"),
      filters_setting("send_contacts", RecordKind::contact, SYNCLINE_MEMBER(sync.send_contacts),
                      "the same for contacts", "[\"owner\", { expression = 'categories = \"vip\"' }]"),
      filters_setting("send_tasks", RecordKind::task, SYNCLINE_MEMBER(sync.send_tasks), "the same for tasks",
                      "[\"owner\"]"),
      setting<P>("deleted_in_exchange", SYNCLINE_MEMBER(sync.deleted_in_exchange),
                 "what a delete in Exchange does to the record: unlink, remove", "\"unlink\""),
      setting<P>("deleted_in_record", SYNCLINE_MEMBER(sync.deleted_in_record),
                 "what a delete of the record does in Exchange: unlink, remove", "\"unlink\""),
      limited_setting<P>("brake_count", SYNCLINE_MEMBER(sync.brake_count), 0, 1'000'000,
                         "more deletes than this and than brake_percent in one run wait for `brake release`",
                         "10"),
      limited_setting<P>("brake_percent", SYNCLINE_MEMBER(sync.brake_percent), 0, 100, "of the linked items",
                         "5"),
      setting<P>("change_past_meetings", SYNCLINE_MEMBER(sync.change_past_meetings),
                 "write to meetings that are over", "false"),
      setting<P>("send_invitations", SYNCLINE_MEMBER(sync.send_invitations), "false: nobody is mailed",
                 "true"),
      setting<P>("three_addresses", SYNCLINE_MEMBER(sync.three_addresses),
                 "of contacts; false: the business address only", "true"),
      setting<P>("audit_every_hours", SYNCLINE_MEMBER(sync.audit_every),
                 "compare everything this often, hours", "168"),
      limited_setting<P>("server_time_limit_seconds", SYNCLINE_MEMBER(sync.server_time_limit), 1, 3600,
                         "how long a lost request may still be at work on the server", "60"),
  };
  Settings<P> mail = {
      setting<P>("track", SYNCLINE_MEMBER(mail.track),
                 "mail that becomes records: all, replies, known_contacts, known_records, none",
                 "\"replies\""),
      setting<P>("track_sent", SYNCLINE_MEMBER(mail.track_sent),
                 "replies written in Outlook to tracked threads", "true"),
      setting<P>("process_from", SYNCLINE_MEMBER(mail.process_from), "mail received before is left alone",
                 "2026-11-01"),
      setting<P>("use_tracking_token", SYNCLINE_MEMBER(mail.use_tracking_token),
                 "a token in sent mail finds its answers", "true"),
      setting<P>("token_prefix", SYNCLINE_MEMBER(mail.token_prefix), "what the token begins with", "\"SYN\""),
      setting<P>("keep_mime", SYNCLINE_MEMBER(mail.keep_mime), "keep received mail octet for octet", "true"),
      setting<P>("attachment_limit_octets", SYNCLINE_MEMBER(mail.attachment_limit_octets),
                 "larger ones are left out where attachments are kept one by one (keep_mime = false)",
                 "5242880"),
      setting<P>("message_limit_octets", SYNCLINE_MEMBER(mail.message_limit_octets),
                 "larger ones are not read", "157286400"),
      setting<P>("delete_after_processing", SYNCLINE_MEMBER(mail.delete_after_processing), "queues only",
                 "false"),
      limited_setting<P>("send_per_minute", SYNCLINE_MEMBER(mail.send_per_minute), 1, 100'000,
                         "mail sent per minute", "30"),
      limited_setting<P>("mass_mail_recipients", SYNCLINE_MEMBER(mail.mass_mail_recipients), 1, 1'000'000,
                         "a message with more recipients is refused", "500"),
  };
  Settings<P> conflict = {
      setting<P>("winner", SYNCLINE_MEMBER(conflict.winner),
                 "where both sides changed a field: exchange, record, newest, ask", "\"newest\""),
  };
  Settings<P> fields;
  for (const RecordKind kind : model::record_kinds) {
    const std::string_view conflict_example =
        kind == RecordKind::contact ? "{ jobTitle = \"record\" }" : "{ categories = \"exchange\" }";
    conflict.push_back(by_field_setting(kind, SYNCLINE_MEMBER(conflict.by_field), false,
                                        "another winner for single fields", conflict_example));
    fields.push_back(by_field_setting(kind, SYNCLINE_MEMBER(directions), true,
                                      "directions that differ: both, to_exchange, to_record, none",
                                      "{ categories = \"to_record\" }"));
  }
  return {{"sync", "What is kept in step, and how carefully", std::move(sync)},
          {"mail", "Received and sent mail", std::move(mail)},
          {"conflict", "Who wins where both sides changed one field", std::move(conflict)},
          {"fields", "Directions of single fields (docs/records.md)", std::move(fields)}};
}

}  // namespace

const std::vector<PolicySection>& policy_sections() {
  static const std::vector<PolicySection> sections = make_sections();
  return sections;
}

const PolicySection* find_policy_section(std::string_view name) {
  for (const PolicySection& section : policy_sections()) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

json::object policies_to_object(const P& policies) {
  json::object object;
  for (const PolicySection& section : policy_sections()) {
    json::object part = to_object(section.settings, policies);
    if (!part.empty()) object.emplace(section.name, std::move(part));
  }
  return object;
}

Wrong policies_from_object(const json::object& object, P& policies) {
  for (const auto& [name, part] : object) {
    const PolicySection* section = find_policy_section(std::string_view(name));
    if (section == nullptr) return std::string(name) + ": no such section of the policies";
    const auto* table = part.if_object();
    if (table == nullptr) return std::string(name) + ": a table is expected";
    if (Wrong wrong = from_object(section->settings, *table, policies))
      return std::string(name) + "." + *wrong;
  }
  return std::nullopt;
}

}  // namespace syncline::service
