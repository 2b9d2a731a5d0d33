// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/orders.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace syncline::sync {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::object object_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : json::object{};
}

}  // namespace

std::string_view to_string(WriteOrder::What what) noexcept {
  switch (what) {
    case WriteOrder::What::create:
      return "create";
    case WriteOrder::What::update:
      return "update";
    case WriteOrder::What::remove:
      return "remove";
    case WriteOrder::What::send:
      return "send";
  }
  return "create";
}

std::string to_json(const StoredOrder& stored) {
  const WriteOrder& order = stored.order;
  return json::serialize(json::object{
      {"what", to_string(order.what)},
      {"kind", model::to_string(order.kind)},
      {"folder", order.folder_id},
      {"item", order.item.id},
      {"version", order.item.version},
      {"fields", order.fields},
      {"base", order.base},
      {"mailAttendees", order.mail_attendees},
      {"sendAs", order.send_as},
      {"recordVersion", stored.record_version},
  });
}

Result<StoredOrder> read_order(const store::Operation& operation) {
  boost::system::error_code bad;
  const json::value value = json::parse(operation.order, bad);
  const auto damaged = [&] {
    return fail(ErrorDomain::local, "store-damaged", "operation " + operation.id + " has no readable order");
  };
  if (bad || !value.is_object()) return damaged();
  const json::object& object = value.get_object();
  StoredOrder stored;
  WriteOrder& order = stored.order;
  const std::string what = text_at(object, "what");
  bool known = false;
  for (const auto candidate :
       {WriteOrder::What::create, WriteOrder::What::update, WriteOrder::What::remove, WriteOrder::What::send})
    if (to_string(candidate) == what) {
      order.what = candidate;
      known = true;
    }
  const auto kind = model::parse_record_kind(text_at(object, "kind"));
  if (!known || !kind) return damaged();
  order.operation_id = operation.id;
  order.kind = *kind;
  order.folder_id = text_at(object, "folder");
  order.item = {.id = text_at(object, "item"), .version = text_at(object, "version")};
  order.fields = object_at(object, "fields");
  order.base = object_at(object, "base");
  if (const json::value* mail = object.if_contains("mailAttendees"))
    order.mail_attendees = mail->is_bool() && mail->get_bool();
  order.send_as = text_at(object, "sendAs");
  if (const json::value* version = object.if_contains("recordVersion");
      version != nullptr && version->is_int64())
    stored.record_version = version->get_int64();
  return stored;
}

}  // namespace syncline::sync
