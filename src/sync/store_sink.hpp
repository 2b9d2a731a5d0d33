// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The content store as drivers see it.
#include <memory>

#include "store/content.hpp"
#include "sync/driver.hpp"

namespace syncline::sync {

class StoreSink final : public ContentSink {
 public:
  explicit StoreSink(store::ContentWriter& writer) : writer_(writer) {}
  Result<void> write(std::span<const std::byte> octets) override { return writer_.write(octets); }

 private:
  store::ContentWriter& writer_;
};

class StoreSource final : public ContentSource {
 public:
  explicit StoreSource(store::ContentReader reader) : reader_(std::move(reader)) {}
  std::uint64_t size() const override { return reader_.size(); }
  Result<std::size_t> read(std::span<std::byte> buffer) override { return reader_.read(buffer); }
  Result<void> rewind() override { return reader_.rewind(); }

 private:
  store::ContentReader reader_;
};

}  // namespace syncline::sync
