// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/ews_driver.hpp"

#include <utility>

#include "ews/client/bulk.hpp"
#include "ews/client/patient_call.hpp"
#include "ews/driver/apply.hpp"
#include "ews/driver/claim.hpp"
#include "ews/driver/read_feed.hpp"
#include "ews/driver/read_folders.hpp"
#include "ews/driver/read_items.hpp"
#include "ews/driver/search_items.hpp"

namespace syncline::ews {
namespace {

/// Passes octets on, and counts them: once some went, a failure cannot be made undone.
class CountingSink final : public net::Sink {
 public:
  explicit CountingSink(sync::ContentSink& sink) : sink_(sink) {}

  Async<void> write(std::span<const std::byte> octets) override {
    octets_ += octets.size();
    co_return sink_.write(octets);
  }
  std::uint64_t octets() const noexcept { return octets_; }

 private:
  sync::ContentSink& sink_;
  std::uint64_t octets_ = 0;
};

bool may_try_again(const Error& error, const CountingSink& sink, unsigned attempt) {
  return is_passing(error.retry) && sink.octets() == 0 && attempt < patient_attempts;
}

}  // namespace

EwsDriver::EwsDriver(EwsClient& client, DriverSettings settings)
    : client_(client), state_(client, std::move(settings)) {}

Async<std::vector<sync::RemoteFolder>> EwsDriver::folders() {
  return read_folders(client_, state_);
}

Async<sync::FeedPage> EwsDriver::pull(const sync::RemoteFolder& folder, std::string cursor,
                                      std::size_t most) {
  return pull_page(client_, state_, folder, std::move(cursor), most);
}

Async<std::vector<std::string>> EwsDriver::received_since(const sync::RemoteFolder& folder, SystemTime from) {
  return items_received_since(client_, folder, from);
}

Async<std::vector<sync::RemoteRef>> EwsDriver::list(const sync::RemoteFolder& folder) {
  return list_items(client_, folder);
}

Async<std::vector<Result<sync::RemoteItem>>> EwsDriver::read(model::RecordKind kind,
                                                             std::vector<std::string> ids, bool with_body) {
  return read_items(state_, kind, std::move(ids), with_body);
}

Async<bool> EwsDriver::fetch_mime(std::string id, sync::ContentSink& sink, std::uint64_t most_octets) {
  CountingSink counting(sink);
  for (unsigned attempt = 1;; ++attempt) {
    ItemRef item = ItemId{.id = id};
    ItemShape shape;
    auto downloaded =
        co_await download_mime(client_, std::move(item), std::move(shape), counting, most_octets);
    if (downloaded) co_return downloaded->octets > 0;
    Error error = std::move(downloaded.error());
    if (error.retry == RetryClass::quarantine && counting.octets() == 0) co_return false;
    if (!may_try_again(error, counting, attempt)) co_return fail(as_gone(std::move(error)));
    if (auto waited = co_await client_.budgets()->back_off(error, attempt); !waited)
      co_return fail(std::move(waited.error()));
  }
}

Async<void> EwsDriver::fetch_attachment(std::string attachment_id, sync::ContentSink& sink,
                                        std::uint64_t most_octets) {
  CountingSink counting(sink);
  bool as_mime = false;  // an attached item has octets only so
  for (unsigned attempt = 1;; ++attempt) {
    auto got = co_await download_attachment(client_, attachment_id, counting, most_octets, as_mime);
    if (got) {
      if (std::holds_alternative<FileContent>(got->value.content) || as_mime) co_return Result<void>{};
      if (!std::holds_alternative<ItemContent>(got->value.content))
        co_return fail(ErrorDomain::ews, "no-content", "the attachment is a link; its content is elsewhere");
      as_mime = true;
      continue;
    }
    Error error = std::move(got.error());
    if (!may_try_again(error, counting, attempt)) co_return fail(as_gone(std::move(error)));
    if (auto waited = co_await client_.budgets()->back_off(error, attempt); !waited)
      co_return fail(std::move(waited.error()));
  }
}

Async<std::optional<sync::Driver::Found>> EwsDriver::find(model::RecordKind kind, std::string search_key) {
  return find_by_search_key(client_, state_, kind, std::move(search_key));
}

Async<sync::Applied> EwsDriver::apply(const sync::WriteOrder& order, sync::Progress& progress,
                                      const sync::OpenContent& content) {
  return apply_order(client_, state_, order, progress, content);
}

Async<sync::RemoteRef> EwsDriver::unmark(sync::RemoteRef item, model::RecordKind kind) {
  return unmark_item(client_, state_, std::move(item), kind);
}

Async<sync::Claim> EwsDriver::claim(std::string organisation_id, std::string organisation_name,
                                    bool take_over) {
  return claim_mailbox(client_, state_, std::move(organisation_id), std::move(organisation_name), take_over);
}

Async<sync::Claim> EwsDriver::look_at_claim(std::string organisation_id, bool take_over) {
  return ::syncline::ews::look_at_claim(client_, state_, std::move(organisation_id), take_over);
}

std::uint64_t EwsDriver::requests() const {
  return client_.requests();
}

}  // namespace syncline::ews
