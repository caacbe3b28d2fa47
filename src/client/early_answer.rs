//! An answer that arrives in place of 100 (Continue).
//!
//! `ureq` 3.5 reads such an answer while it waits for the 100, leaves it in its buffer, and then
//! waits for more input before it looks at the buffer again: until the server closes, or the
//! request times out. This transport, around all others, hands the buffered input on.
//!
//! Source: RFC 9110, section 10.1.1.

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

#[derive(Debug)]
pub struct EarlyAnswerConnector;

impl<In: Transport> Connector<In> for EarlyAnswerConnector {
    type Out = EarlyAnswerTransport<In>;

    fn connect(
        &self,
        _details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| EarlyAnswerTransport {
            inner,
            waits_for_100: false,
        }))
    }
}

#[derive(Debug)]
pub struct EarlyAnswerTransport<T> {
    inner: T,
    /// The last wait for input was one for 100 (Continue).
    waits_for_100: bool,
}

impl<T: Transport> Transport for EarlyAnswerTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.waits_for_100 = false;
        self.inner.transmit_output(amount, timeout)
    }

    /// Called where nothing in the buffer was consumed since the last call.
    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let waits_for_100 = timeout.reason == Timeout::Await100;
        let is_next_phase = self.waits_for_100 && !waits_for_100;
        self.waits_for_100 = waits_for_100;
        if is_next_phase && !self.inner.buffers().input().is_empty() {
            return Ok(true);
        }
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
