// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/bulk.hpp"

#include <array>
#include <utility>

#include "ews/client/spliced_source.hpp"
#include "ews/codec/codec.hpp"
#include "ews/xml/bulk_reader.hpp"

namespace syncline::ews {
namespace {

// Large enough that a gigabyte is not a million turns, small enough to be nothing beside the limits.
constexpr std::size_t chunk_octets = 64 * 1024;

// Runs a response through the bulk reader: the wanted content to the sink, the envelope returned for the
// codec.
class Download {
 public:
  /// `level`: 0 for the content of what was asked for, 1 for that of the item inside an item attachment.
  Download(net::Sink& sink, xml::BulkLimits limits, xml::ContentPlace::Kind wanted, std::size_t level = 0)
      : sink_(sink), reader_(limits), wanted_(wanted), level_(level) {}

  net::Async<void> feed(std::string_view octets) {
    auto fed = reader_.feed(octets);
    auto passed = co_await pass_on();
    if (!passed) co_return passed;
    co_return fed;
  }

  net::Async<std::string> finish() {
    auto finished = reader_.finish();
    auto passed = co_await pass_on();
    if (!passed) co_return fail(std::move(passed.error()));
    if (!finished) co_return fail(std::move(finished.error()));
    if (failed_) co_return fail(std::move(*failed_));
    co_return reader_.take_envelope();
  }

  std::uint64_t octets() const noexcept { return octets_; }

 private:
  net::Async<void> pass_on() {
    for (const xml::ContentEvent& event : reader_.events()) {
      // One content was asked for; others may stand beside it inside an attached item.
      if (event.place.kind != wanted_ || event.place.message != 0 || event.place.entry != 0 ||
          event.place.level != level_)
        continue;
      if (event.kind == xml::ContentEvent::Kind::octets) {
        octets_ += event.octets.size();
        auto written = co_await sink_.write(std::as_bytes(std::span(event.octets)));
        if (!written) co_return written;
      } else if (event.kind == xml::ContentEvent::Kind::failed) {
        failed_ = event.error;
      }
    }
    co_return Result<void>{};
  }

  net::Sink& sink_;
  xml::BulkReader reader_;
  xml::ContentPlace::Kind wanted_;
  std::size_t level_;
  std::uint64_t octets_ = 0;
  std::optional<Error> failed_;
};

template <class Request>
net::Async<Downloaded<typename Request::Response>> download(EwsClient& client, Request request,
                                                            Download& into) {
  constexpr std::string_view operation = Request::operation;
  auto envelope = codec::encode(request, client.soap_header());
  if (!envelope) co_return fail(std::move(envelope.error()).during(std::string(operation)));
  auto permit = co_await client.budgets()->acquire(kind_of(operation));
  if (!permit) co_return fail(std::move(permit.error()));

  net::HttpRequest http_request = client.http_request(operation);
  http_request.body = std::make_shared<net::StringSource>(std::move(*envelope));
  // What is large is base64 of what is compressed already, most of it: to inflate that costs more than all
  // the rest, for a quarter of the wire.
  http_request.headers.set("Accept-Encoding", "identity");
  net::HttpOptions options = client.http_options();
  options.repeatable = true;
  options.limits.body_octets = std::uint64_t{1}
                               << 40;  // the reader's limits hold for the content and for the rest
  const SteadyTime sent = client.environment().clock.steady_now();
  auto opened = co_await client.http().open(std::move(http_request), std::move(options));
  if (!opened) co_return fail(std::move(opened.error()).during(std::string(operation)));
  // When it begins: how long the rest takes is as much the reader's matter.
  client.note_answer(operation, sent);
  net::HttpExchange& exchange = **opened;

  auto refused = co_await client.refusal(operation, exchange);
  if (!refused) co_return fail(std::move(refused.error()).during(std::string(operation)));
  if (*refused) co_return fail(std::move(**refused));
  std::vector<std::byte> buffer(chunk_octets);
  for (;;) {
    auto got = co_await exchange.read_body(buffer);
    if (!got) co_return fail(std::move(got.error()).during(std::string(operation)));
    if (*got == 0) break;
    auto fed = co_await into.feed({reinterpret_cast<const char*>(buffer.data()), *got});
    if (!fed) co_return fail(std::move(fed.error()).during(std::string(operation)));
  }
  auto rest = co_await into.finish();
  if (!rest) co_return fail(std::move(rest.error()).during(std::string(operation)));
  auto reply = client.read_reply<Request>(*rest);
  if (!reply) co_return fail(std::move(reply.error()));
  if (auto complete = reply->expect(1); !complete) co_return fail(complete.error());
  co_return Downloaded<typename Request::Response>{.value = std::move(*reply), .octets = into.octets()};
}

xml::BulkLimits limits_of(const EwsClient& client, std::uint64_t most_octets) {
  xml::BulkLimits limits;
  limits.xml = client.settings().reply_limits;
  // The wire carries a third more than the content, and line breaks perhaps.
  limits.xml.octets = most_octets / 2 * 3 + limits.envelope_octets;
  limits.content_octets = most_octets;
  return limits;
}

Error no_value(std::string_view what) {
  return {.domain = ErrorDomain::ews,
          .code = "no-item",
          .message = "the server answered with no " + std::string(what) + " and no error",
          .retry = RetryClass::quarantine};
}

// A request around a source, refused here if the server would have to refuse it after the transfer.
template <class Request>
net::Async<typename Request::Response> upload(EwsClient& client, const Request& request,
                                              std::shared_ptr<net::Source> content) {
  constexpr std::string_view operation = Request::operation;
  auto spliced = codec::encode_spliced(request, client.soap_header());
  if (!spliced) co_return fail(std::move(spliced.error()).during(std::string(operation)));
  auto body = std::make_shared<SplicedSource>(std::move(spliced->prefix), std::move(content),
                                              std::move(spliced->suffix));
  if (!body->size())
    co_return fail(ErrorDomain::input, "unknown-size",
                   "the size of what is to be sent must be known beforehand");
  auto reply = co_await client.exchange(operation, std::move(body));
  if (!reply) co_return fail(std::move(reply.error()));
  auto response = client.read_reply<Request>(*reply);
  if (!response) co_return fail(std::move(response.error()));
  if (auto complete = response->expect(1); !complete) co_return fail(complete.error());
  co_return response;
}

}  // namespace

net::Async<Downloaded<Attachment>> download_attachment(EwsClient& client, std::string id, net::Sink& sink,
                                                       std::uint64_t most_octets, bool mime_of_items) {
  GetAttachmentRequest request{.ids = {std::move(id)}};
  if (mime_of_items) request.include_mime_content = true;
  Download into(sink, limits_of(client, most_octets),
                mime_of_items ? xml::ContentPlace::Kind::mime : xml::ContentPlace::Kind::attachment,
                mime_of_items ? 1 : 0);
  auto done = co_await download(client, std::move(request), into);
  if (!done) co_return fail(std::move(done.error()));
  auto attachments = std::move(done->value.messages.front()).result();
  if (!attachments) co_return fail(std::move(attachments.error()));
  if (attachments->size() != 1) co_return fail(no_value("attachment"));
  co_return Downloaded<Attachment>{.value = std::move(attachments->front()), .octets = done->octets};
}

net::Async<Downloaded<Item>> download_mime(EwsClient& client, ItemRef id, ItemShape shape, net::Sink& sink,
                                           std::uint64_t most_octets) {
  shape.include_mime_content = true;
  GetItemRequest request{.shape = std::move(shape), .ids = {std::move(id)}};
  Download into(sink, limits_of(client, most_octets), xml::ContentPlace::Kind::mime);
  auto done = co_await download(client, std::move(request), into);
  if (!done) co_return fail(std::move(done.error()));
  auto items = std::move(done->value.messages.front()).result();
  if (!items) co_return fail(std::move(items.error()));
  if (items->size() != 1) co_return fail(no_value("item"));
  co_return Downloaded<Item>{.value = std::move(items->front()), .octets = done->octets};
}

net::Async<UploadedAttachment> upload_attachment(EwsClient& client, ItemId item, Attachment attachment,
                                                 std::shared_ptr<net::Source> content) {
  FileContent marked;
  if (const auto* given = std::get_if<FileContent>(&attachment.content)) marked = *given;
  marked.content = codec::splice_marker();
  attachment.content = std::move(marked);
  CreateAttachmentRequest request{.parent = std::move(item), .attachments = {std::move(attachment)}};
  auto response = co_await upload(client, request, std::move(content));
  if (!response) co_return fail(std::move(response.error()));
  auto made = std::move(response->messages.front()).result();
  if (!made) co_return fail(std::move(made.error()));
  if (made->size() != 1 || !made->front().id) co_return fail(no_value("attachment id"));
  UploadedAttachment uploaded{.id = *made->front().id,
                              .item_change_key = made->front().id->root_item_change_key};
  co_return uploaded;
}

net::Async<ItemId> create_from_mime(EwsClient& client, FolderRef folder, Item item,
                                    std::shared_ptr<net::Source> mime) {
  item.mime_content = MimeContent{.octets = codec::splice_marker()};
  CreateItemRequest request{.saved_item_folder = std::move(folder), .items = {}};
  request.message_disposition = MessageDisposition::save_only;
  request.items.emplace_back(std::move(item));
  auto response = co_await upload(client, request, std::move(mime));
  if (!response) co_return fail(std::move(response.error()));
  auto made = std::move(response->messages.front()).result();
  if (!made) co_return fail(std::move(made.error()));
  if (made->size() != 1 || !made->front().item_id) co_return fail(no_value("item id"));
  co_return std::move(*made->front().item_id);
}

}  // namespace syncline::ews
