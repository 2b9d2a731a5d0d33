// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/record_access.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "service/organisation/configuration.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

/// What another's copy of a message holds beyond the reader's: who else got it, and the octets with the
/// headers of its delivery. `parties` and `recipientStates` name the blind recipients too.
constexpr std::string_view of_one_copy[] = {"bccRecipients", "mime", "parties", "recipientStates"};

Result<bool> is_of(const store::MailboxRow& row, std::string_view owner) {
  if (row.address == owner) return true;
  json::error_code error;
  const json::value value = json::parse(row.json, error);
  const json::value* const settings =
      error || !value.is_object() ? nullptr : value.as_object().if_contains("settings");
  model::Mailbox mailbox;
  if (settings == nullptr || !settings->is_object() ||
      from_object(mailbox_settings(), settings->get_object(), mailbox))
    return fail(ErrorDomain::local, "store-damaged",
                fmt::format("mailbox {} in the store cannot be read", row.address));
  return mailbox.record_owner() == owner;
}

}  // namespace

Result<store::Reader> reader_of(store::Transaction& transaction, std::string_view owner) {
  // Settings are read only where they name the person: this is asked with every request.
  auto rows = store::mailboxes_that_name(transaction, owner, json::serialize(json::value(owner)));
  if (!rows) return fail(std::move(rows.error()));
  store::Reader reader{.owner = std::string(owner)};
  for (const store::MailboxRow& row : *rows) {
    auto own = is_of(row, owner);
    if (!own) return fail(std::move(own.error()));
    if (*own) reader.mailboxes.emplace(row.id, row.address);
  }
  return reader;
}

Result<std::optional<model::Record>> as_seen_by(store::Transaction& transaction, const store::Reader& reader,
                                                model::Record record) {
  if (record.owner == reader.owner) return record;
  auto linked = store::is_linked_for(transaction, record.id, reader);
  if (!linked) return fail(std::move(linked.error()));
  if (!*linked) return std::nullopt;
  record.owner.clear();
  if (record.kind == model::RecordKind::email)
    for (const std::string_view name : of_one_copy) record.fields.erase(name);
  return record;
}

Result<json::object> record_to_json(store::Transaction& transaction, const model::Record& record,
                                    const store::Reader& reader) {
  auto links = store::links_of_record(transaction, record.id);
  if (!links) return fail(std::move(links.error()));
  std::erase_if(*links, [&](const store::Link& link) { return !reader.mailboxes.contains(link.mailbox); });
  return record_to_json(record, *links, reader.mailboxes);
}

}  // namespace syncline::service
