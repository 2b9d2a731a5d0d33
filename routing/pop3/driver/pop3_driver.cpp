// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/driver/pop3_driver.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <cstdio>
#include <unordered_set>
#include <utility>

namespace syncline::pop3 {
namespace {

constexpr std::string_view inbox_id = "INBOX";
/// A message never changes; what is known of it under this is all there is.
constexpr std::string_view only_version = "1";

/// RFC 3339 texts in UTC compare as times do.
std::string utc_text(SystemTime at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

unexpected<Error> gone() {
  return fail(ErrorDomain::mail, "gone", "the message is not in the mailbox any more");
}

unexpected<Error> not_supported(std::string what) {
  return fail(ErrorDomain::mail, "not-supported", "POP3 cannot " + std::move(what));
}

/// "MESSAGE/PART"; a message's id has no slash: it is base64url, dots and digits.
std::string attachment_id(std::string_view message, std::string_view part) {
  return std::string(message) + "/" + std::string(part);
}

void name_attachments(const std::string& message, model::Fields& fields) {
  model::FieldValue* list = fields.if_contains("attachments");
  if (list == nullptr || !list->is_array()) return;
  for (model::FieldValue& one : list->get_array())
    if (one.is_object())
      if (const std::string_view part = model::text_of(one.get_object(), "id"); !part.empty())
        one.get_object()["id"] = attachment_id(message, part);
}

}  // namespace

Pop3Driver::Pop3Driver(net::Environment& environment, DriverSettings settings,
                       std::unique_ptr<MessageReader> reader, sync::SendMail send)
    : settings_(std::move(settings)),
      reader_(std::move(reader)),
      send_(std::move(send)),
      mailbox_(environment, settings_.mailbox) {}

Async<std::vector<sync::RemoteFolder>> Pop3Driver::folders() {
  std::vector<sync::RemoteFolder> all;
  all.push_back({.id = std::string(inbox_id),
                 .name = "Inbox",
                 .role = sync::FolderRole::inbox,
                 .kind = model::RecordKind::email,
                 .total_items = mailbox_.entries().size(),
                 .writable = false});
  co_return all;
}

Async<sync::FeedPage> Pop3Driver::pull(const sync::RemoteFolder&, std::string cursor, std::size_t most) {
  auto parsed = KnownMessages::parse(cursor);
  if (!parsed) co_return fail(std::move(parsed.error()));
  KnownMessages known = std::move(*parsed);
  // New mail is seen by a new session alone; within one run the pages are of one listing.
  if (!fresh_ || !mailbox_.is_open()) {
    auto opened = co_await mailbox_.reopen();
    if (!opened) co_return fail(std::move(opened.error()));
    fresh_ = true;
  }
  auto vanished = co_await mailbox_.recognise(known);
  if (!vanished) co_return fail(std::move(vanished.error()));
  const auto& entries = mailbox_.entries();
  std::vector<std::size_t> page;
  std::uint64_t octets = 0;
  bool last = true;
  for (std::size_t i = entries.size(); i > 0; --i) {
    const RemoteMailbox::Entry& entry = entries[i - 1];
    if (!entry.id.empty()) continue;
    const std::uint64_t more = settings_.by_date ? 4096 : entry.octets;
    if (!page.empty() && (page.size() >= most || octets + more > settings_.mailbox.spool_octets)) {
      last = false;
      break;
    }
    octets += more;
    page.push_back(i - 1);
  }
  mailbox_.spool().clear();
  if (!page.empty()) {
    std::vector<std::size_t> places = page;
    auto fetched = co_await mailbox_.fetch(std::move(places), settings_.by_date);
    if (!fetched) co_return fail(std::move(fetched.error()));
    if (settings_.by_date)
      if (auto noted = remember_dates(page); !noted) co_return fail(std::move(noted.error()));
  }

  sync::FeedPage feed;
  feed.last = last;
  for (const std::size_t place : page)
    feed.entries.push_back({.what = sync::FeedEntry::What::changed,
                            .item = {.id = entries[place].id, .version = std::string(only_version)}});
  if (mailbox_.unchanged() && !cursor.empty()) {
    feed.cursor = std::move(cursor);
  } else {
    KnownMessages now;
    for (KnownMessage& message : *vanished) {
      if (!last)
        now.add(std::move(message));
      else if (!mailbox_.recent_mode())  // there, what is not listed is only older than 30 days
        feed.entries.push_back({.what = sync::FeedEntry::What::deleted, .item = {.id = message.id}});
    }
    for (const RemoteMailbox::Entry& entry : entries)
      if (!entry.id.empty()) now.add({.id = entry.id, .octets = entry.octets, .uid = entry.uid});
    feed.cursor = now.text();
  }
  if (last) fresh_ = false;
  co_return feed;
}

Result<void> Pop3Driver::remember_dates(const std::vector<std::size_t>& places) {
  for (const std::size_t place : places) {
    const std::string& id = mailbox_.entries()[place].id;
    if (!mailbox_.spool().has(id, true)) continue;
    const auto source = mailbox_.spool().open(id);
    auto mail = reader_->read(*source, {.is_whole = mailbox_.spool().has(id, false), .with_body = false});
    if (!mail && mail.error().domain == ErrorDomain::local) return fail(std::move(mail.error()));
    if (mail) received_.insert_or_assign(id, std::string(model::text_of(mail->fields, "dateTimeReceived")));
  }
  return {};
}

Async<std::vector<std::string>> Pop3Driver::received_since(const sync::RemoteFolder&, SystemTime from) {
  auto open = co_await mailbox_.ensure_open();
  if (!open) co_return fail(std::move(open.error()));
  const auto& entries = mailbox_.entries();
  std::vector<std::size_t> undated;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].id.empty() || !received_.contains(entries[i].id)) undated.push_back(i);
  constexpr std::size_t batch = 512;
  for (std::size_t at = 0; at < undated.size(); at += batch) {
    const auto begin = undated.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = undated.size() - at > batch ? begin + batch : undated.end();
    const std::vector<std::size_t> places(begin, end);
    mailbox_.spool().clear();
    std::vector<std::size_t> wanted = places;
    auto fetched = co_await mailbox_.fetch(std::move(wanted), true);
    if (!fetched) co_return fail(std::move(fetched.error()));
    if (auto noted = remember_dates(places); !noted) co_return fail(std::move(noted.error()));
  }
  const std::string first = utc_text(from);
  std::vector<std::string> ids;
  for (std::size_t i = entries.size(); i > 0; --i) {
    const std::string& id = entries[i - 1].id;
    const auto date = received_.find(id);
    // Without a date it is rather shown than missed.
    if (date == received_.end() || date->second.empty() || date->second >= first) ids.push_back(id);
  }
  co_return ids;
}

Async<std::vector<sync::RemoteRef>> Pop3Driver::list(const sync::RemoteFolder&) {
  auto open = co_await mailbox_.ensure_open();
  if (!open) co_return fail(std::move(open.error()));
  auto identified = co_await mailbox_.identify_all();
  if (!identified) co_return fail(std::move(identified.error()));
  std::vector<sync::RemoteRef> all;
  for (const RemoteMailbox::Entry& entry : mailbox_.entries())
    all.push_back({.id = entry.id, .version = std::string(only_version)});
  co_return all;
}

Async<void> Pop3Driver::into_spool(std::vector<std::string> ids, bool header_only) {
  std::vector<std::size_t> places;
  for (const std::string& id : ids) {
    if (mailbox_.spool().has(id, header_only)) continue;
    std::string wanted = id;
    auto place = co_await mailbox_.find(std::move(wanted));
    if (!place) co_return fail(std::move(place.error()));
    if (*place) places.push_back(**place);
  }
  if (places.empty()) co_return Result<void>{};
  auto fetched = co_await mailbox_.fetch(std::move(places), header_only);
  co_return fetched;
}

sync::RemoteItem Pop3Driver::item_of(const std::string& id, ReadMail mail) const {
  sync::RemoteItem item;
  item.ref = {.id = id, .version = std::string(only_version)};
  item.kind = model::RecordKind::email;
  item.folder_id = inbox_id;
  item.item_class = std::move(mail.item_class);
  item.operation_id = std::move(mail.operation_id);
  item.is_own_automatic_mail = mail.is_own_automatic_mail;
  item.fields = std::move(mail.fields);
  name_attachments(id, item.fields);
  return item;
}

Result<sync::RemoteItem> Pop3Driver::read_spooled(const std::string& id, bool with_body) {
  if (!mailbox_.spool().has(id, !with_body)) {
    if (const auto refused = mailbox_.refused().find(id); refused != mailbox_.refused().end()) {
      Error error = refused->second;
      return fail(std::move(error));
    }
    return gone();
  }
  const auto source = mailbox_.spool().open(id);
  auto mail = reader_->read(*source, {.is_whole = mailbox_.spool().has(id, false), .with_body = with_body});
  if (!mail) return fail(std::move(mail.error()));
  return item_of(id, std::move(*mail));
}

Async<std::vector<Result<sync::RemoteItem>>> Pop3Driver::read(model::RecordKind kind,
                                                              std::vector<std::string> ids, bool with_body) {
  std::vector<Result<sync::RemoteItem>> items;
  items.reserve(ids.size());
  constexpr std::size_t batch = 64;
  for (std::size_t at = 0; at < ids.size(); at += batch) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = ids.size() - at > batch ? begin + batch : ids.end();
    std::vector<std::string> some(begin, end);
    if (kind == model::RecordKind::email) {
      const bool all_there = std::all_of(some.begin(), some.end(), [&](const std::string& id) {
        return mailbox_.spool().has(id, !with_body) || mailbox_.refused().contains(id);
      });
      if (!all_there) {
        // What was fetched before is read by now, or fetched again.
        if (mailbox_.spool().octets() > 4 * settings_.mailbox.spool_octets) mailbox_.spool().clear();
        std::vector<std::string> wanted = some;
        auto spooled = co_await into_spool(std::move(wanted), !with_body);
        if (!spooled) co_return fail(std::move(spooled.error()));
      }
    }
    for (const std::string& id : some) items.push_back(read_spooled(id, with_body));
  }
  co_return items;
}

Async<std::unique_ptr<sync::ContentSource>> Pop3Driver::whole(std::string id) {
  if (!mailbox_.spool().has(id, false)) {
    std::vector<std::string> one{id};
    auto spooled = co_await into_spool(std::move(one), false);
    if (!spooled) co_return fail(std::move(spooled.error()));
  }
  if (!mailbox_.spool().has(id, false)) {
    if (const auto refused = mailbox_.refused().find(id); refused != mailbox_.refused().end()) {
      Error error = refused->second;
      co_return fail(std::move(error));
    }
    co_return gone();
  }
  co_return mailbox_.spool().open(id);
}

Async<bool> Pop3Driver::fetch_mime(std::string id, sync::ContentSink& sink, std::uint64_t most_octets) {
  auto source = co_await whole(std::move(id));
  if (!source) co_return fail(std::move(source.error()));
  if ((*source)->size() > most_octets)
    co_return fail(ErrorDomain::mail, "too-large",
                   "the message is larger than the limit of " + std::to_string(most_octets) + " octets");
  std::vector<std::byte> piece(64 * 1024);
  for (;;) {
    auto count = (*source)->read(piece);
    if (!count) co_return fail(std::move(count.error()));
    if (*count == 0) co_return true;
    if (auto written = sink.write(std::span<const std::byte>(piece).first(*count)); !written)
      co_return fail(std::move(written.error()));
  }
}

Async<void> Pop3Driver::fetch_attachment(std::string attachment_id, sync::ContentSink& sink,
                                         std::uint64_t most_octets) {
  const std::size_t slash = attachment_id.find('/');
  if (slash == std::string::npos) co_return gone();
  std::string message = attachment_id.substr(0, slash);
  auto source = co_await whole(std::move(message));
  if (!source) co_return fail(std::move(source.error()));
  co_return reader_->read_part(**source, std::string_view(attachment_id).substr(slash + 1), sink,
                               most_octets);
}

Async<std::optional<sync::RemoteItem>> Pop3Driver::attached_message(std::string id) {
  const std::string message = id;
  auto source = co_await whole(std::move(id));
  if (!source) co_return fail(std::move(source.error()));
  auto attached = reader_->attached_message(**source);
  if (!attached) co_return fail(std::move(attached.error()));
  if (!*attached) co_return std::nullopt;
  sync::RemoteItem item = item_of(message, std::move((*attached)->mail));
  item.ref.id = attachment_id(message, (*attached)->part_id);
  co_return item;
}

Async<std::optional<sync::Driver::Found>> Pop3Driver::find(model::RecordKind, std::string) {
  // One folder: what is not in it is nowhere.
  co_return std::nullopt;
}

Async<sync::Applied> Pop3Driver::apply(const sync::WriteOrder& order, sync::Progress& progress,
                                       const sync::OpenContent& content) {
  switch (order.what) {
    case sync::WriteOrder::What::create:
      co_return not_supported("put anything into a mailbox");
    case sync::WriteOrder::What::update: {
      // Read flags and categories stay in the record: the server has no place for them.
      sync::Applied applied;
      applied.item = order.item;
      co_return applied;
    }
    case sync::WriteOrder::What::remove:
      co_return co_await remove(order);
    case sync::WriteOrder::What::send:
      if (!send_) co_return not_supported("send");
      co_return co_await send_(order, progress, content);
  }
  co_return not_supported("do that");
}

/// Nothing is deleted but the very message: found by what the listing says, and its header compared. Asked
/// for again after a lost answer, it is there and goes, or it is gone (invariant 6).
Async<sync::Applied> Pop3Driver::remove(const sync::WriteOrder& order) {
  std::string id = order.item.id;
  auto place = co_await mailbox_.find(std::move(id));
  if (!place) co_return fail(std::move(place.error()));
  if (*place) {
    const std::size_t entry = **place;
    std::string wanted = order.item.id;
    auto same = co_await mailbox_.is_same(entry, std::move(wanted));
    if (!same) co_return fail(std::move(same.error()));
    if (!*same)
      co_return fail(ErrorDomain::mail, "conflict", "another message bears the unique-id now",
                     RetryClass::now);
    auto removed = co_await mailbox_.remove(entry);
    fresh_ = false;
    if (!removed) co_return fail(std::move(removed.error()));
  }
  co_return sync::Applied{};
}

Async<sync::RemoteRef> Pop3Driver::unmark(sync::RemoteRef item, model::RecordKind) {
  co_return item;
}

Async<sync::Claim> Pop3Driver::claim(std::string organisation_id, std::string organisation_name, bool) {
  sync::Claim claim;
  claim.ours = true;
  claim.owner_id = std::move(organisation_id);
  claim.owner_name = std::move(organisation_name);
  co_return claim;
}

std::uint64_t Pop3Driver::requests() const {
  return mailbox_.commands();
}

Async<void> Pop3Driver::close() {
  fresh_ = false;
  return mailbox_.close();
}

}  // namespace syncline::pop3
