// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/orders.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace syncline::sync {
namespace {

namespace json = boost::json;

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
      {"automatic", order.is_automatic},
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
  const std::string_view what = model::text_of(object, "what");
  bool known = false;
  for (const auto candidate :
       {WriteOrder::What::create, WriteOrder::What::update, WriteOrder::What::remove, WriteOrder::What::send})
    if (to_string(candidate) == what) {
      order.what = candidate;
      known = true;
    }
  const auto kind = model::parse_record_kind(model::text_of(object, "kind"));
  if (!known || !kind) return damaged();
  order.operation_id = operation.id;
  order.kind = *kind;
  order.folder_id = model::text_of(object, "folder");
  order.item = {.id = std::string(model::text_of(object, "item")),
                .version = std::string(model::text_of(object, "version"))};
  order.fields = object_at(object, "fields");
  order.base = object_at(object, "base");
  if (const json::value* mail = object.if_contains("mailAttendees"))
    order.mail_attendees = mail->is_bool() && mail->get_bool();
  order.send_as = model::text_of(object, "sendAs");
  if (const json::value* automatic = object.if_contains("automatic"))
    order.is_automatic = automatic->is_bool() && automatic->get_bool();
  if (const json::value* version = object.if_contains("recordVersion");
      version != nullptr && version->is_int64())
    stored.record_version = version->get_int64();
  return stored;
}

}  // namespace syncline::sync
