/*
 * UDP sockets that read and write many datagrams with one system call (docs/adr/0046). A Node-API addon for Linux. Its user is
 * `sip-node/src/adapters/udp/batched-socket.ts`; `native/udp/build.mjs` compiles it.
 *
 *   readable ──► recvmmsg into the area of the socket ──► one call into JavaScript: `onBatch(count)`
 *   send()   ──► the queue ──► sendmmsg, before the event loop waits again, or when 64 datagrams are queued
 *   EAGAIN   ──► the queue waits until the socket is writable. A full queue drops datagrams and counts them
 *
 * The area and the table of a batch belong to JavaScript; a strong reference holds them until the socket is closed. The table has three
 * words for each datagram: its length, its source (the place in the table of sources, with `newSource` when the place has another address
 * than before), and the port of the source.
 *
 * libuv's header is in no npm package. The few functions are declared here; a handle is memory of `uv_handle_size` bytes.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 9
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* ── libuv ───────────────────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct uv_loop_s uv_loop_t;
typedef struct uv_handle_s uv_handle_t;
enum { UV_POLL = 8, UV_PREPARE = 9 }; /* uv_handle_type; checked when the addon is loaded */
enum { UV_READABLE = 1, UV_WRITABLE = 2 };
size_t uv_handle_size(int type);
const char* uv_handle_type_name(int type);
void* uv_handle_get_data(const uv_handle_t*);
void uv_handle_set_data(uv_handle_t*, void*);
void uv_close(uv_handle_t*, void (*)(uv_handle_t*));
void uv_unref(uv_handle_t*);
char* uv_err_name_r(int error, char* text, size_t size);
int uv_poll_init(uv_loop_t*, uv_handle_t*, int fd);
int uv_poll_start(uv_handle_t*, int events, void (*)(uv_handle_t*, int status, int events));
int uv_poll_stop(uv_handle_t*);
int uv_prepare_init(uv_loop_t*, uv_handle_t*);
int uv_prepare_start(uv_handle_t*, void (*)(uv_handle_t*));

/* ── Sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────────────── */

enum {
  batchSize = 64,
  /* More than the largest datagram. Not a power of two: the first bytes of all places would share a few lines of the processor's cache. */
  placeSize = 65536 + 1088,
  wordsPerDatagram = 3,
  sourceCount = 8192,
  maxQueued = 1024,
  maxQueuedBytes = 2 << 20,
  maxPayload = 65535,
  /* Failures of one flush that are reported one by one. */
  maxFailures = 8,
};
static const uint32_t newSource = 0x80000000;

/* An IPv4 address is in the first four bytes. The port is in network order. All bytes are set: sources are compared with memcmp. */
struct source {
  uint8_t address[16];
  uint32_t scope;
  uint16_t family;
  uint16_t port;
};

struct failure {
  int error;
  struct sockaddr_storage to;
};

/* The buffers of a socket. They are freed when it is closed. */
struct buffers {
  struct mmsghdr received[batchSize];
  struct iovec receivedParts[batchSize];
  struct sockaddr_storage receivedFrom[batchSize];
  struct source sources[sourceCount];

  struct mmsghdr queued[maxQueued];
  struct iovec queuedParts[maxQueued];
  struct sockaddr_storage queuedTo[maxQueued];
};

/* It lives until it is closed and JavaScript has forgotten it. */
struct udpSocket {
  napi_env env;
  /* The JavaScript object and the open handles. */
  int references;
  int openHandles;
  bool isClosed;
  int fd;
  int family;
  uv_handle_t* poll;
  uv_handle_t* prepare;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  napi_ref onBatch;
  napi_ref onError;
  napi_ref areaReference;
  napi_ref tableReference;

  struct buffers* buffers;
  uint8_t* queuedBytes;
  uint8_t* area;
  uint32_t* table;
  uint64_t seed;
  size_t queuedLength;
  unsigned first; /* the queue is [first, end) */
  unsigned end;
  bool isBlocked;
  double sendDrops;
};

/* ── JavaScript values ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static napi_value throwError(napi_env env, const char* what, int error) {
  char code[32], text[128];
  uv_err_name_r(-error, code, sizeof code);
  snprintf(text, sizeof text, "%s %s", what, code);
  napi_throw_error(env, code, text);
  return NULL;
}

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

/* The socket in the first argument. NULL: not a socket, and an error is pending. `count`: in: expected, out: given. */
static struct udpSocket* arguments(napi_env env, napi_callback_info info, size_t* count, napi_value* values) {
  size_t expected = *count;
  void* data = NULL;
  if (napi_get_cb_info(env, info, count, values, NULL, NULL) != napi_ok || *count < expected ||
      napi_get_value_external(env, values[0], &data) != napi_ok || data == NULL) {
    napi_throw_type_error(env, NULL, "expected a UDP socket and its arguments");
    return NULL;
  }
  return data;
}

/* Calls a function of JavaScript. An exception becomes an uncaught one. Then the microtasks run. */
static void call(struct udpSocket* socket, napi_ref function, size_t count, napi_value* values) {
  napi_env env = socket->env;
  napi_value callee, receiver, result, error;
  if (napi_get_reference_value(env, function, &callee) != napi_ok || callee == NULL) return;
  napi_get_global(env, &receiver);
  napi_status status = napi_make_callback(env, socket->context, receiver, callee, count, values, &result);
  if (status == napi_pending_exception && napi_get_and_clear_last_exception(env, &error) == napi_ok)
    napi_fatal_exception(env, error);
}

/* ── Addresses ───────────────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool parseAddress(const char* text, int port, struct sockaddr_storage* address, int family) {
  memset(address, 0, sizeof *address);
  if (port < 0 || port > 65535) return false;
  if (family == AF_INET) {
    struct sockaddr_in* four = (struct sockaddr_in*)address;
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, text, &four->sin_addr) == 1;
  }
  struct sockaddr_in6* six = (struct sockaddr_in6*)address;
  char plain[INET6_ADDRSTRLEN];
  size_t length = strcspn(text, "%");
  if (length >= sizeof plain) return false;
  memcpy(plain, text, length);
  plain[length] = 0;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons((uint16_t)port);
  if (text[length] == '%') six->sin6_scope_id = if_nametoindex(text + length + 1);
  return inet_pton(AF_INET6, plain, &six->sin6_addr) == 1;
}

static socklen_t addressSize(int family) {
  return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int portOf(const struct sockaddr_storage* address) {
  return ntohs(address->ss_family == AF_INET ? ((const struct sockaddr_in*)address)->sin_port
                                             : ((const struct sockaddr_in6*)address)->sin6_port);
}

enum { maxAddressText = INET6_ADDRSTRLEN + 1 + IF_NAMESIZE };

/* As node:dgram writes it: a link-local address has its interface. */
static void writeAddress(const struct sockaddr_storage* address, char* text) {
  text[0] = 0;
  if (address->ss_family == AF_INET) {
    inet_ntop(AF_INET, &((const struct sockaddr_in*)address)->sin_addr, text, maxAddressText);
  } else if (address->ss_family == AF_INET6) {
    const struct sockaddr_in6* six = (const struct sockaddr_in6*)address;
    inet_ntop(AF_INET6, &six->sin6_addr, text, INET6_ADDRSTRLEN);
    size_t length = strlen(text);
    if (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr) && six->sin6_scope_id != 0 &&
        if_indextoname(six->sin6_scope_id, text + length + 1) != NULL)
      text[length] = '%';
  }
}

/* ── Sources ─────────────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* The place of the address in the table, with `newSource` when it displaced another address. A stranger cannot know which addresses share
 * a place, because the hash has a seed; each displacement costs only that the address is written as text again. */
static uint32_t placeOf(struct udpSocket* socket, const struct sockaddr_storage* from) {
  struct source source;
  memset(&source, 0, sizeof source);
  source.family = from->ss_family;
  if (from->ss_family == AF_INET) {
    const struct sockaddr_in* four = (const struct sockaddr_in*)from;
    memcpy(source.address, &four->sin_addr, 4);
    source.port = four->sin_port;
  } else {
    const struct sockaddr_in6* six = (const struct sockaddr_in6*)from;
    memcpy(source.address, &six->sin6_addr, 16);
    source.port = six->sin6_port;
    source.scope = six->sin6_scope_id;
  }
  uint64_t words[3], hash = socket->seed;
  _Static_assert(sizeof source == sizeof words, "a source is three words");
  memcpy(words, &source, sizeof words);
  for (int i = 0; i < 3; i++) {
    hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
  }
  uint32_t place = (uint32_t)(hash % sourceCount);
  if (memcmp(&socket->buffers->sources[place], &source, sizeof source) == 0) return place;
  socket->buffers->sources[place] = source;
  return place | newSource;
}

/* ── Sending ─────────────────────────────────────────────────────────────────────────────────────────────────────────────── */

static void onPoll(uv_handle_t* handle, int status, int events);

static void startPolling(struct udpSocket* socket) {
  uv_poll_start(socket->poll, socket->isBlocked ? UV_READABLE | UV_WRITABLE : UV_READABLE, onPoll);
}

static void setBlocked(struct udpSocket* socket, bool isBlocked) {
  if (socket->isBlocked == isBlocked) return;
  socket->isBlocked = isBlocked;
  startPolling(socket);
}

/* Writes the queue. Returns the number of failures, of which at most `maxFailures` are in `failures`. Calls no JavaScript. */
static unsigned writeQueue(struct udpSocket* socket, struct failure* failures) {
  unsigned failed = 0;
  while (socket->first < socket->end) {
    int sent = sendmmsg(socket->fd, socket->buffers->queued + socket->first, socket->end - socket->first, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      socket->first += (unsigned)sent;
    } else if (sent < 0 && errno == EINTR) {
      continue;
    } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      setBlocked(socket, true);
      return failed;
    } else {
      /* The first one of the queue cannot be sent. The others can. */
      if (failed < maxFailures) {
        failures[failed].error = errno;
        failures[failed].to = socket->buffers->queuedTo[socket->first];
      }
      failed += 1;
      socket->sendDrops += 1;
      socket->first += 1;
    }
  }
  socket->first = socket->end = 0;
  socket->queuedLength = 0;
  setBlocked(socket, false);
  return failed;
}

/* Calls `onError(code, address, port)`. */
static void reportFailure(struct udpSocket* socket, int error, const struct sockaddr_storage* to) {
  char text[maxAddressText] = "", code[32];
  napi_value values[3];
  if (to != NULL) writeAddress(to, text);
  uv_err_name_r(-error, code, sizeof code);
  napi_create_string_latin1(socket->env, code, NAPI_AUTO_LENGTH, &values[0]);
  napi_create_string_latin1(socket->env, text, NAPI_AUTO_LENGTH, &values[1]);
  napi_create_int32(socket->env, to == NULL ? 0 : portOf(to), &values[2]);
  call(socket, socket->onError, 3, values);
}

static void flush(struct udpSocket* socket) {
  struct failure failures[maxFailures];
  unsigned failed = writeQueue(socket, failures);
  if (failed == 0) return;
  napi_handle_scope scope;
  if (napi_open_handle_scope(socket->env, &scope) != napi_ok) return;
  for (unsigned i = 0; i < failed && i < maxFailures && !socket->isClosed; i++)
    reportFailure(socket, failures[i].error, &failures[i].to);
  napi_close_handle_scope(socket->env, scope);
}

static void onPrepare(uv_handle_t* handle) {
  struct udpSocket* socket = uv_handle_get_data(handle);
  if (!socket->isClosed && !socket->isBlocked && socket->end > 0) flush(socket);
}

/* send(socket, data: string | Uint8Array, address, port): 0, or the errno of a datagram that cannot be queued. A string is Latin-1. */
static napi_value sendDatagram(napi_env env, napi_callback_info info) {
  size_t count = 4, length = 0, addressLength = 0;
  napi_value values[4];
  struct udpSocket* socket = arguments(env, info, &count, values);
  if (socket == NULL) return NULL;
  char address[maxAddressText] = "";
  int32_t port = -1;
  napi_valuetype type = napi_undefined;
  void* bytes = NULL;
  struct sockaddr_storage to;
  if (socket->isClosed) return number(env, EBADF);
  napi_typeof(env, values[1], &type);
  napi_status status = type == napi_string ? napi_get_value_string_latin1(env, values[1], NULL, 0, &length)
                                           : napi_get_buffer_info(env, values[1], &bytes, &length);
  if (status != napi_ok) return number(env, EINVAL);
  napi_get_value_string_latin1(env, values[2], address, sizeof address, &addressLength);
  napi_get_value_int32(env, values[3], &port);
  if (port <= 0 || !parseAddress(address, port, &to, socket->family)) return number(env, EINVAL);
  if (length > maxPayload) return number(env, EMSGSIZE);
  /* One byte more: Node-API writes a zero behind a string. */
  if (socket->end == maxQueued || socket->queuedLength + length + 1 > maxQueuedBytes) return number(env, ENOBUFS);
  uint8_t* place = socket->queuedBytes + socket->queuedLength;
  if (type == napi_string) napi_get_value_string_latin1(env, values[1], (char*)place, length + 1, &length);
  else if (length > 0) memcpy(place, bytes, length);
  unsigned i = socket->end;
  socket->buffers->queuedTo[i] = to;
  socket->buffers->queuedParts[i] = (struct iovec){.iov_base = place, .iov_len = length};
  socket->queuedLength += length;
  socket->end += 1;
  if (socket->end - socket->first >= batchSize && !socket->isBlocked) flush(socket);
  return number(env, 0);
}

/* ── Receiving ───────────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* One batch. What is left in the kernel's buffer makes the socket readable again, so other sockets get their turn. */
static void receiveBatch(struct udpSocket* socket) {
  for (int i = 0; i < batchSize; i++) socket->buffers->received[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_storage);
  int count = recvmmsg(socket->fd, socket->buffers->received, batchSize, MSG_DONTWAIT, NULL);
  napi_handle_scope scope;
  if (count == 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) return;
  int error = errno;
  if (napi_open_handle_scope(socket->env, &scope) != napi_ok) return;
  if (count < 0) {
    reportFailure(socket, error, NULL);
  } else {
    for (int i = 0; i < count; i++) {
      uint32_t* words = socket->table + i * wordsPerDatagram;
      words[0] = socket->buffers->received[i].msg_len;
      words[1] = placeOf(socket, &socket->buffers->receivedFrom[i]);
      words[2] = (uint32_t)portOf(&socket->buffers->receivedFrom[i]);
    }
    napi_value value = number(socket->env, count);
    call(socket, socket->onBatch, 1, &value);
  }
  napi_close_handle_scope(socket->env, scope);
}

static void onPoll(uv_handle_t* handle, int status, int events) {
  struct udpSocket* socket = uv_handle_get_data(handle);
  if (socket->isClosed) return;
  if (status < 0) { /* the socket has an error, and libuv has stopped the handle */
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    startPolling(socket);
    events |= UV_READABLE;
  }
  if ((events & UV_WRITABLE) != 0 && socket->isBlocked) flush(socket);
  if ((events & UV_READABLE) != 0 && !socket->isClosed) receiveBatch(socket);
}

/* sourceAddress(socket, i): the address of the i-th datagram of the last batch, as text. */
static napi_value sourceAddress(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2], result = NULL;
  struct udpSocket* socket = arguments(env, info, &count, values);
  if (socket == NULL) return NULL;
  uint32_t i = batchSize;
  char text[maxAddressText] = "";
  napi_get_value_uint32(env, values[1], &i);
  if (i < batchSize && !socket->isClosed) writeAddress(&socket->buffers->receivedFrom[i], text);
  napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

/* ── Opening and closing ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void freeBuffers(struct udpSocket* socket) {
  free(socket->buffers);
  free(socket->queuedBytes);
  socket->buffers = NULL;
  socket->queuedBytes = NULL;
}

static void release(struct udpSocket* socket) {
  if (--socket->references > 0) return;
  freeBuffers(socket);
  free(socket->poll);
  free(socket->prepare);
  free(socket);
}

static void onClosed(uv_handle_t* handle) {
  struct udpSocket* socket = uv_handle_get_data(handle);
  if (--socket->openHandles > 0) return;
  if (socket->cleanup != NULL) napi_remove_async_cleanup_hook(socket->cleanup);
  freeBuffers(socket);
  release(socket);
}

static void deleteReference(napi_env env, napi_ref* reference) {
  if (*reference != NULL) napi_delete_reference(env, *reference);
  *reference = NULL;
}

static void closeSocket(struct udpSocket* socket) {
  if (socket->isClosed) return;
  struct failure failures[maxFailures];
  if (!socket->isBlocked) writeQueue(socket, failures);
  socket->isClosed = true;
  uv_poll_stop(socket->poll);
  uv_close(socket->poll, onClosed);
  uv_close(socket->prepare, onClosed);
  close(socket->fd);
  socket->fd = -1;
  deleteReference(socket->env, &socket->onBatch);
  deleteReference(socket->env, &socket->onError);
  deleteReference(socket->env, &socket->areaReference);
  deleteReference(socket->env, &socket->tableReference);
  if (socket->context != NULL) napi_async_destroy(socket->env, socket->context);
  socket->context = NULL;
}

static void onEnvironmentEnds(napi_async_cleanup_hook_handle handle, void* data) {
  (void)handle;
  closeSocket(data);
}

static void onCollected(napi_env env, void* data, void* hint) {
  (void)env;
  (void)hint;
  release(data);
}

static napi_value closeFromScript(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value values[1];
  struct udpSocket* socket = arguments(env, info, &count, values);
  if (socket != NULL) closeSocket(socket);
  return NULL;
}

/* The kernel cuts a size off at net.core.rmem_max, unless the process may administrate the network. */
static void setBuffer(int fd, int option, int forced, int size) {
  if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) != 0) setsockopt(fd, SOL_SOCKET, option, &size, sizeof size);
}

/* A bound socket, or -1 with errno. */
static int bindSocket(const struct sockaddr_storage* address, bool reusePort, int receiveBuffer, int sendBuffer) {
  int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
  if (fd < 0) return -1;
  setBuffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, receiveBuffer);
  setBuffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, sendBuffer);
  if ((!reusePort || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0) &&
      bind(fd, (const struct sockaddr*)address, addressSize(address->ss_family)) == 0)
    return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static void prepareBatch(struct udpSocket* socket) {
  for (int i = 0; i < batchSize; i++) {
    socket->buffers->receivedParts[i] = (struct iovec){.iov_base = socket->area + (size_t)i * placeSize, .iov_len = placeSize};
    socket->buffers->received[i].msg_hdr.msg_iov = &socket->buffers->receivedParts[i];
    socket->buffers->received[i].msg_hdr.msg_iovlen = 1;
    socket->buffers->received[i].msg_hdr.msg_name = &socket->buffers->receivedFrom[i];
  }
  for (int i = 0; i < maxQueued; i++) {
    socket->buffers->queued[i].msg_hdr.msg_iov = &socket->buffers->queuedParts[i];
    socket->buffers->queued[i].msg_hdr.msg_iovlen = 1;
    socket->buffers->queued[i].msg_hdr.msg_name = &socket->buffers->queuedTo[i];
    socket->buffers->queued[i].msg_hdr.msg_namelen = addressSize(socket->family);
  }
}

/* The memory of a socket; NULL: there is none. */
static struct udpSocket* allocateSocket(napi_env env, int family) {
  struct udpSocket* socket = calloc(1, sizeof *socket);
  if (socket == NULL) return NULL;
  socket->env = env;
  socket->references = 1;
  socket->fd = -1;
  socket->family = family;
  socket->poll = calloc(1, uv_handle_size(UV_POLL));
  socket->prepare = calloc(1, uv_handle_size(UV_PREPARE));
  socket->buffers = calloc(1, sizeof *socket->buffers);
  socket->queuedBytes = malloc(maxQueuedBytes);
  if (getrandom(&socket->seed, sizeof socket->seed, GRND_NONBLOCK) != sizeof socket->seed) socket->seed = (uintptr_t)socket;
  if (socket->poll != NULL && socket->prepare != NULL && socket->buffers != NULL && socket->queuedBytes != NULL) return socket;
  release(socket);
  return NULL;
}

static bool isFunction(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

/* Binds the socket and starts to read. Returns 0 or an errno; without success nothing is open. */
static int start(struct udpSocket* socket, const struct sockaddr_storage* address, bool reusePort, int receiveBuffer, int sendBuffer) {
  uv_loop_t* loop = NULL;
  if (napi_get_uv_event_loop(socket->env, (struct uv_loop_s**)&loop) != napi_ok) return ENOSYS;
  socket->fd = bindSocket(address, reusePort, receiveBuffer, sendBuffer);
  if (socket->fd < 0) return errno;
  int status = uv_poll_init(loop, socket->poll, socket->fd);
  if (status != 0) {
    close(socket->fd);
    return -status;
  }
  uv_prepare_init(loop, socket->prepare);
  uv_handle_set_data(socket->poll, socket);
  uv_handle_set_data(socket->prepare, socket);
  socket->openHandles = 2;
  socket->references += 1;
  uv_prepare_start(socket->prepare, onPrepare);
  uv_unref(socket->prepare);
  napi_add_async_cleanup_hook(socket->env, onEnvironmentEnds, socket, &socket->cleanup);
  startPolling(socket);
  return 0;
}

/* open(host, port, reusePort, receiveBuffer, sendBuffer, area, table, onBatch, onError): a socket. Throws an Error with `code`. */
static napi_value openSocket(napi_env env, napi_callback_info info) {
  enum { host, port, reusePort, receiveBuffer, sendBuffer, area, table, onBatch, onError, expected };
  size_t count = expected, length = 0, areaSize = 0, tableSize = 0;
  napi_value values[expected], name, result = NULL;
  char text[maxAddressText];
  int32_t portNumber, receiveSize, sendSize;
  bool isShared;
  void *areaBytes = NULL, *tableBytes = NULL;
  struct sockaddr_storage address;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || count < expected ||
      napi_get_value_string_latin1(env, values[host], text, sizeof text, &length) != napi_ok ||
      napi_get_value_int32(env, values[port], &portNumber) != napi_ok ||
      napi_get_value_bool(env, values[reusePort], &isShared) != napi_ok ||
      napi_get_value_int32(env, values[receiveBuffer], &receiveSize) != napi_ok ||
      napi_get_value_int32(env, values[sendBuffer], &sendSize) != napi_ok ||
      napi_get_buffer_info(env, values[area], &areaBytes, &areaSize) != napi_ok ||
      napi_get_buffer_info(env, values[table], &tableBytes, &tableSize) != napi_ok ||
      areaSize < (size_t)batchSize * placeSize || tableSize < batchSize * wordsPerDatagram * sizeof(uint32_t) ||
      (uintptr_t)tableBytes % sizeof(uint32_t) != 0 || !isFunction(env, values[onBatch]) || !isFunction(env, values[onError])) {
    napi_throw_type_error(env, NULL, "open: wrong arguments");
    return NULL;
  }
  int family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
  if (!parseAddress(text, portNumber, &address, family)) return throwError(env, "bind", EINVAL);
  struct udpSocket* socket = allocateSocket(env, family);
  if (socket == NULL) return throwError(env, "bind", ENOMEM);
  socket->area = areaBytes;
  socket->table = tableBytes;
  prepareBatch(socket);
  int error = start(socket, &address, isShared, receiveSize, sendSize);
  if (error != 0) {
    release(socket);
    return throwError(env, "bind", error);
  }
  napi_create_string_latin1(env, "strowger-udp", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &socket->context);
  napi_create_reference(env, values[onBatch], 1, &socket->onBatch);
  napi_create_reference(env, values[onError], 1, &socket->onError);
  napi_create_reference(env, values[area], 1, &socket->areaReference);
  napi_create_reference(env, values[table], 1, &socket->tableReference);
  if (napi_create_external(env, socket, onCollected, NULL, &result) == napi_ok) return result;
  closeSocket(socket);
  release(socket);
  return NULL;
}

/* figures(socket): [port, receive buffer, drops of the receive buffer, drops of sending]. Sizes in bytes, as they were requested. */
static napi_value figures(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value values[1], result = NULL;
  struct udpSocket* socket = arguments(env, info, &count, values);
  if (socket == NULL) return NULL;
  struct sockaddr_storage address = {0};
  socklen_t addressLength = sizeof address, size = sizeof(int);
  int receiveBuffer = 0;
  uint32_t memory[SK_MEMINFO_VARS] = {0};
  socklen_t memorySize = sizeof memory;
  getsockname(socket->fd, (struct sockaddr*)&address, &addressLength);
  getsockopt(socket->fd, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, &size);
  getsockopt(socket->fd, SOL_SOCKET, SO_MEMINFO, memory, &memorySize);
  /* The kernel doubles a requested size, for its own use (socket(7)). */
  const double numbers[] = {portOf(&address), receiveBuffer / 2, memory[SK_MEMINFO_DROPS], socket->sendDrops};
  napi_create_array_with_length(env, 4, &result);
  for (uint32_t i = 0; i < 4; i++) napi_set_element(env, result, i, number(env, numbers[i]));
  return result;
}

/* ── The module ──────────────────────────────────────────────────────────────────────────────────────────────────────────── */

static void export(napi_env env, napi_value exports, const char* name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
  napi_set_named_property(env, exports, name, value);
}

static bool isNamed(int type, const char* expected) {
  const char* name = uv_handle_type_name(type);
  return name != NULL && strcmp(name, expected) == 0;
}

NAPI_MODULE_INIT() {
  if (!isNamed(UV_POLL, "poll") || !isNamed(UV_PREPARE, "prepare")) return throwError(env, "another libuv:", ENOSYS);
  export(env, exports, "open", openSocket);
  export(env, exports, "send", sendDatagram);
  export(env, exports, "sourceAddress", sourceAddress);
  export(env, exports, "figures", figures);
  export(env, exports, "close", closeFromScript);
  napi_value sizes[2] = {number(env, batchSize), number(env, placeSize)};
  napi_set_named_property(env, exports, "batchSize", sizes[0]);
  napi_set_named_property(env, exports, "placeSize", sizes[1]);
  napi_set_named_property(env, exports, "sourceCount", number(env, sourceCount));
  return exports;
}
