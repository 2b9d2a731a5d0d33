// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "Ews.nsmap"
#include "ews/codec/detail/context.hpp"

namespace syncline::ews::codec {
namespace {

// The scanner refuses more than 128; this one stands for callers that have not used it, far below what the
// stack holds.
constexpr unsigned max_depth = 512;
constexpr std::size_t max_repeats = 1'000'000;
// A context is 164 KB: enough for the parses in flight of a busy process, no more when idle.
constexpr std::size_t max_pooled = 16;

std::size_t receive(struct soap* soap, char* buffer, std::size_t size) {
  auto& slot = *static_cast<Context::Slot*>(soap->user);
  const auto count = std::min(size, slot.input.size());
  std::memcpy(buffer, slot.input.data(), count);
  slot.input.remove_prefix(count);
  return count;
}

int send(struct soap* soap, const char* data, std::size_t size) {
  static_cast<Context::Slot*>(soap->user)->output->append(data, size);
  return SOAP_OK;
}

// Set for its side effect: with it gSOAP passes over unknown header elements even if they say mustUnderstand.
int ignore(struct soap*, const char*) {
  return SOAP_OK;
}

class Pool {
 public:
  std::unique_ptr<Context::Slot> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto slot = std::move(free_.back());
        free_.pop_back();
        return slot;
      }
    }
    return std::make_unique<Context::Slot>();
  }

  void give_back(std::unique_ptr<Context::Slot> slot) {
    const std::lock_guard lock(mutex_);
    if (free_.size() < max_pooled) free_.push_back(std::move(slot));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Context::Slot>> free_;
};

Pool& pool() {
  static Pool instance;
  return instance;
}

}  // namespace

Context::Slot::Slot()
    : soap(soap_new2(SOAP_ENC_PLAIN | SOAP_C_UTFSTRING | SOAP_XML_TREE,
                     SOAP_ENC_PLAIN | SOAP_C_UTFSTRING | SOAP_XML_TREE | SOAP_IO_BUFFER | SOAP_XML_NOTYPE)) {
  if (soap == nullptr) throw std::bad_alloc();
  soap_set_namespaces(soap, namespaces);
  soap->user = this;
  soap->frecv = receive;
  soap->fsend = send;
  soap->fignore = ignore;
  soap->maxlevel = max_depth;
  soap->maxoccurs = max_repeats;
  soap->maxlength = 0;  // strings are bounded by the text that is already in memory
}

Context::Slot::~Slot() {
  soap_destroy(soap);
  soap_end(soap);
  soap_free(soap);
}

Context Context::for_reading(std::string_view xml) {
  Context context(pool().take());
  context.slot_->input = xml;
  return context;
}

Context Context::for_writing(std::string& out) {
  Context context(pool().take());
  context.slot_->output = &out;
  return context;
}

void Context::restart(std::string_view xml) {
  soap_destroy(slot_->soap);
  soap_end(slot_->soap);
  slot_->soap->error = SOAP_OK;
  slot_->input = xml;
}

Context::~Context() {
  if (!slot_) return;
  soap_destroy(slot_->soap);
  soap_end(slot_->soap);
  slot_->soap->header = nullptr;
  slot_->soap->fault = nullptr;
  slot_->soap->error = SOAP_OK;
  slot_->input = {};
  slot_->output = nullptr;
  pool().give_back(std::move(slot_));
}

}  // namespace syncline::ews::codec
