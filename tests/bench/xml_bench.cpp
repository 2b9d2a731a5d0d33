// SPDX-License-Identifier: GPL-3.0-or-later
// What reading costs: the scanner alone on bulk content and on ordinary responses, and MIME from the wire's
// octets to a sink. Octets of wire per CPU second.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/base64.hpp"
#include "base/random.hpp"
#include "ews/xml/bulk_reader.hpp"
#include "ews/xml/scanner.hpp"

namespace {

using syncline::ews::xml::BulkReader;
using syncline::ews::xml::ContentEvent;
using syncline::ews::xml::Scanner;

constexpr std::size_t chunk_octets = 16 * 1024;  // a TLS record

std::string base64_of(std::size_t octets, bool folded) {
  syncline::SeededRandom random(1);
  std::string plain(octets, '\0');
  random.fill(std::as_writable_bytes(std::span(plain)));
  std::string text = syncline::base64_encode(plain);
  if (!folded) return text;
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += 76) {
    lines += text.substr(at, 76);
    lines += "\r\n";
  }
  return lines;
}

std::string response(std::string_view messages) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope "
      "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
      "<m:GetItemResponse xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" "
      "xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><m:ResponseMessages>";
  out += messages;
  out += "</m:ResponseMessages></m:GetItemResponse></s:Body></s:Envelope>";
  return out;
}

std::string mime_response(std::size_t octets, bool folded) {
  return response(
      "<m:GetItemResponseMessage "
      "ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode><m:Items><t:Message>"
      "<t:MimeContent CharacterSet=\"UTF-8\">" +
      base64_of(octets, folded) +
      "</t:MimeContent><t:ItemId Id=\"AAMk\" "
      "ChangeKey=\"CQAA\"/></t:Message></m:Items></m:GetItemResponseMessage>");
}

/// Metadata as it comes: short elements, a little text that is not ASCII, references.
std::string metadata_response(int items) {
  std::string messages;
  for (int i = 0; i < items; ++i) {
    messages +=
        "<m:GetItemResponseMessage "
        "ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode><m:Items><t:Message>"
        "<t:ItemId Id=\"AAMkADEzOTExYZRAAAAAAAENAADZGACZQpSgSpyNkexYe2b7AAANGFYwAAA=\" "
        "ChangeKey=\"CQAAABYAAAC3\"/>"
        "<t:Subject>Pr\xC3\xBC"
        "fung &amp; Freigabe &#x1F600;</t:Subject><t:Sensitivity>Normal</t:Sensitivity>"
        "<t:Size>48211</t:Size><t:DateTimeReceived>2024-05-06T07:08:09Z</"
        "t:DateTimeReceived><t:ToRecipients><t:Mailbox>"
        "<t:Name>\xE6\x97\xA5\xE6\x9C\xAC "
        "\xE5\xA4\xAA\xE9\x83\x8E</t:Name><t:EmailAddress>taro@example.org</t:EmailAddress>"
        "<t:RoutingType>SMTP</t:RoutingType></t:Mailbox></t:ToRecipients><t:IsRead>false</t:IsRead></"
        "t:Message></m:Items>"
        "</m:GetItemResponseMessage>";
  }
  return response(messages);
}

void scan(benchmark::State& state, const std::string& text) {
  std::string out;
  for (auto _ : state) {
    Scanner scanner;
    for (std::size_t at = 0; at < text.size(); at += chunk_octets) {
      out.clear();
      if (!scanner.feed(std::string_view(text).substr(at, chunk_octets), out)) state.SkipWithError("refused");
      benchmark::DoNotOptimize(out.data());
    }
    out.clear();
    if (!scanner.finish(out)) state.SkipWithError("truncated");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void to_sink(benchmark::State& state, const std::string& text) {
  std::uint64_t decoded = 0;
  for (auto _ : state) {
    BulkReader reader;
    for (std::size_t at = 0; at < text.size(); at += chunk_octets) {
      if (!reader.feed(std::string_view(text).substr(at, chunk_octets))) state.SkipWithError("refused");
      for (const ContentEvent& event : reader.events()) decoded += event.octets.size();
    }
    if (!reader.finish()) state.SkipWithError("truncated");
    benchmark::DoNotOptimize(reader.take_envelope());
  }
  benchmark::DoNotOptimize(decoded);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void BM_ScanBase64(benchmark::State& state) {
  scan(state, mime_response(1 << 20, false));
}
void BM_ScanBase64Lines(benchmark::State& state) {
  scan(state, mime_response(1 << 20, true));
}
void BM_ScanMetadata(benchmark::State& state) {
  scan(state, metadata_response(100));
}
void BM_MimeToSink1MB(benchmark::State& state) {
  to_sink(state, mime_response(1 << 20, false));
}
void BM_MimeToSink1MBLines(benchmark::State& state) {
  to_sink(state, mime_response(1 << 20, true));
}
void BM_MetadataThroughBulkReader(benchmark::State& state) {
  to_sink(state, metadata_response(100));
}

BENCHMARK(BM_ScanBase64);
BENCHMARK(BM_ScanBase64Lines);
BENCHMARK(BM_ScanMetadata);
BENCHMARK(BM_MimeToSink1MB);
BENCHMARK(BM_MimeToSink1MBLines);
BENCHMARK(BM_MetadataThroughBulkReader);

}  // namespace

BENCHMARK_MAIN();
